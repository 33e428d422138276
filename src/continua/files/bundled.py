"""The record that ships with the library."""

from pathlib import Path


def bundled_record() -> Path:
    """The Hudson Bay Company's lynx and hare pelts, 1900–1920, in thousands: year, lynx, hare.

    Source: Elton & Nicholson, J. Anim. Ecol. 11 (1942) 215–244; the file's own header says where it was taken from.
    """
    return Path(__file__).parent / "records" / "hudson-bay-lynx-hare.csv"
