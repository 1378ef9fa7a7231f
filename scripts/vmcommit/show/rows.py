"""Which rows of a run's summary charts and tables show."""

from pandas import DataFrame, Series

from vmcommit.base.conventions import DEFAULT_STEP, ORDERS, SPARSE_BELOW
from vmcommit.base.strategies import names_in


def sequential(summary: DataFrame) -> DataFrame:
    return summary[summary.touch_order == ORDERS[0]]


def plain(rows: DataFrame) -> DataFrame:
    """Without the sweep of steps."""
    return rows[~rows.stepped | (rows.chunk_bytes == DEFAULT_STEP)]


def fully(rows: DataFrame) -> DataFrame:
    return rows[rows.touched_bytes == rows.size_bytes]


def sparsely(rows: DataFrame) -> DataFrame:
    return rows[rows.touched_bytes < SPARSE_BELOW * rows.size_bytes]


def timed(rows: DataFrame) -> DataFrame:
    return rows[rows.samples > 0]


def parts(summary: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The timed rows without the sweep: (all touched, sparsely touched)."""
    rows = timed(plain(sequential(summary)))
    return fully(rows), sparsely(rows)


def vary(values: Series) -> bool:
    """Whether there is a line to draw against them, and not a single point."""
    return values.nunique() > 1


def at_size(rows: DataFrame, size) -> DataFrame:
    return rows[rows.size_bytes == size]


def stepped_names(rows: DataFrame) -> list[str]:
    return names_in(rows[rows.stepped])


def most_stepped(rows: DataFrame) -> int:
    """The size with the most steps: the sweep's. Some row must have a step."""
    return rows[rows.stepped].groupby("size_bytes").chunk_bytes.nunique().idxmax()


def by_strategy(rows: DataFrame, names, *columns) -> dict[str, list]:
    """The known values of each strategy of `names`, whether the rows have it or not."""
    known = rows.dropna(subset=[*columns[:2]])
    return {name: known[known.strategy == name][[*columns]].values.tolist() for name in names}


def with_interval(column: str) -> tuple[str, str, str]:
    return column, f"{column}_low", f"{column}_high"


def reach(rows: DataFrame, column: str) -> tuple[float, float]:
    """The least and the most of a column and of its intervals."""
    values = rows[[*with_interval(column)]]
    return values.min().min(), values.max().max()


def of_sizes(summary: DataFrame) -> DataFrame:
    """ns per touched page with all touched: a row for each size, a column for each strategy."""
    full, _ = parts(summary)
    return full.pivot_table(index="size_bytes", columns="strategy", values="ns_per_page",
                            aggfunc="first")
