"""Ground floor: tables that are read with care, and folders that are written whole or not at all."""

from continua.files.bundled import bundled_record
from continua.files.columns import NumberColumn, numbers, plain_texts
from continua.files.errors import DataError
from continua.files.folder import check_folder, write_folder
from continua.files.raw_table import RawTable
from continua.files.reading import read_table
from continua.files.sources import read_source
from continua.files.table import Table
from continua.files.toml_file import LARGEST_FILE, is_text, toml_kind, toml_tables
from continua.files.whole_file import write_whole

__all__ = [
    "LARGEST_FILE",
    "DataError",
    "NumberColumn",
    "RawTable",
    "Table",
    "bundled_record",
    "check_folder",
    "is_text",
    "numbers",
    "plain_texts",
    "read_source",
    "read_table",
    "toml_kind",
    "toml_tables",
    "write_folder",
    "write_whole",
]
