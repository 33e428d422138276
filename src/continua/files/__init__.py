"""Ground floor: tables that are read with care, and folders that are written whole or not at all."""

from continua.files.bundled import bundled_record
from continua.files.errors import DataError
from continua.files.folder import check_folder, write_folder
from continua.files.reading import read_table
from continua.files.table import Table
from continua.files.whole_file import write_whole

__all__ = ["DataError", "Table", "bundled_record", "check_folder", "read_table", "write_folder", "write_whole"]
