"""Read CSV lists, tolerating columns in any case and order and rows that end early; write some."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from echocardmae_mm.utils.errors import UserError


def read_table(path: str | Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV list.

    Args:
        path (str | Path): The list.
        columns (Sequence[str]): Required columns, case-insensitive. Defaults to none.

    Returns:
        pd.DataFrame: All cells as text, '' where a row ends early. The required columns have the
        names given in ``columns``.

    Raises:
        UserError: If the file or a column is missing, a required column appears twice, a row is
            longer than the header, or the file is not a CSV list.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            table = pd.read_csv(
                path, dtype=str, na_filter=False, index_col=False, encoding='utf-8-sig'
            )
        if caught:  # pandas has dropped cells beyond the header
            _refuse_long_rows(path)
    except FileNotFoundError as error:
        expected = f'a CSV file with the columns {" and ".join(columns)}'
        raise UserError(f'{path}: no such file; expected {expected}') from error
    except pd.errors.EmptyDataError:
        table = pd.DataFrame()
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f'{path}: not a CSV file ({error})') from error
    found = [name.strip() for name in table.columns]
    names = {name.lower(): name for name in columns}
    table.columns = pd.Index([names.get(name.lower(), name) for name in found])
    if missing := [name for name in columns if name not in table.columns]:
        there = ' '.join(', '.join(found).split())[:200] or 'nothing'
        hint = (
            '\nSeparate the columns by commas'
            if any(sign in ''.join(found) for sign in ';\t')
            else ''
        )
        raise UserError(f'{path}: missing column {", ".join(missing)}; found {there}{hint}')
    for name in columns:
        if (table.columns == name).sum() > 1:
            raise UserError(f'{path}: several columns are named {name}; expected one')
    return table


def _refuse_long_rows(path: str | Path) -> None:
    with open(path, newline='', encoding='utf-8-sig') as file:
        rows = csv.reader(file)
        width = len(next(rows))
        for row in rows:
            if any(map(str.strip, row[width:])):
                raise UserError(f'{path}, line {rows.line_num}: more cells than the header')


def strip_cell(cell: str) -> str:
    """The text of a cell without surrounding blanks; 'nan', which pandas may write, is empty."""
    cell = cell.strip()
    return '' if cell.lower() == 'nan' else cell


def read_patient_column(path: str | Path, column: str, patients: Collection[str]) -> dict[str, str]:
    """Read one value per patient from a CSV list with the columns ``patient`` and ``column``.

    The list may contain further patients.

    Raises:
        UserError: If the file or a column is missing, a patient is listed twice, or one of
            ``patients`` is missing.
    """
    table = read_table(path, ('patient', column))
    repeated = table['patient'][table['patient'].duplicated()]
    if len(repeated):
        raise UserError(f'{path}: patient {repeated.iloc[0]} is listed twice')
    values = dict(zip(table['patient'], table[column]))
    if missing := sorted(set(patients) - values.keys()):
        raise UserError(f'{path}: {len(missing)} patients have no {column}, such as {missing[0]}')
    return values


def write_patient_column(path: str | Path, column: str, values: Mapping[str, Any]) -> None:
    """Write one value per patient to a CSV list for :func:`read_patient_column`."""
    pd.DataFrame(sorted(values.items()), columns=['patient', column]).to_csv(path, index=False)


def read_number(row: Mapping[str, Any], column: str) -> float:
    """Read a number from a row; NaN if the column or the number is missing or malformed."""
    try:
        return float(row.get(column) or 'nan')
    except ValueError:
        return float('nan')


def is_ef(value: float) -> bool:
    """Whether a number can be an ejection fraction in per cent; False for NaN."""
    return 0 <= value <= 100
