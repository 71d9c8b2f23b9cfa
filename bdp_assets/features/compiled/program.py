"""Transactions answered in one call: own fields, every plan on what the online store keeps, row features."""

from __future__ import annotations

from typing import Any

import numpy as np

from bdp_assets.features.compiled.codes import (
    ASKED_NEWEST,
    ASKED_SEQUENCE,
    FORMULAS,
    OWN_COLUMNS,
    OWN_SOURCES,
    OWN_TESTS,
    PLAN_AT,
    PLAN_EVENTS,
    PLAN_FACTORS,
    PLAN_FEATURES,
    PLAN_OWNER,
    PLAN_PAIR,
    PLAN_SIZE,
    PLAN_TILES,
    PLANS,
)
from bdp_assets.features.compiled.formulas import compute
from bdp_assets.features.compiled.how import DOUBLES, INT, INTS, MATRIX_OUT, TABLE, VOID, compiled, inner
from bdp_assets.features.compiled.packed import answer_packed, chosen_rows
from bdp_assets.features.compiled.stored import fill, match
from bdp_assets.features.compiled.tables import line_of, table_of


@inner
def own_fields(program: Any, columns: Any) -> Any:
    """What windows read of each transaction itself, int64 [fields, transactions]."""
    tests, sources = table_of(program, OWN_TESTS), table_of(program, OWN_SOURCES)
    used, n = line_of(program, OWN_COLUMNS), columns.shape[1]
    mine = np.empty((len(used), n), dtype=np.int64)
    chosen_rows(columns, used, mine)
    matches, all_exact = np.empty((len(tests), n), dtype=np.bool_), np.ones(n, dtype=np.bool_)
    for t in range(len(tests)):
        match(tests[t], mine, all_exact, matches[t])
    own = np.empty((len(sources), n), dtype=np.int64)
    for s in range(len(sources)):
        fill(sources[s], mine, matches, own[s])
    return own


@inner
def group_of(numbers: Any, sizes: Any, groups: Any, which: Any) -> Any:
    """The numbers of a group of strings, and the size of each; none of group -1. `sizes`: how many strings
    each of the `groups` has, and then the bytes of each string."""
    if which < 0:
        return numbers[:0], sizes[:0]
    begin = groups
    for group in range(which):
        begin += sizes[group]
    mine = sizes[begin : begin + sizes[which]]
    start = np.int64(0)
    for i in range(groups, begin):
        start += sizes[i] >> 3
    end = start
    for i in range(len(mine)):
        end += mine[i] >> 3
    return numbers[start:end], mine


@compiled(VOID(INTS, DOUBLES, INT, *(INTS, INTS, INT), TABLE, TABLE, MATRIX_OUT))
def answer_program(  # noqa: PLR0913, PLR0917 - what is known, and what is asked
    program: Any,
    factors: Any,
    most_exact: int,
    numbers: Any,
    sizes: Any,
    groups: int,
    asked: Any,
    columns: Any,
    out: Any,
) -> None:
    """Write the vector of each transaction: `out`, float64 [transactions, features].

    `program`, `factors`: see `program.Program`. Packed strings in `groups`: their `numbers`, and `sizes` (see
    `group_of`). Of the transactions: what is `asked` (see `codes`), int64 [rows, transactions], and their own
    `columns`, the time first, int64 [columns, transactions].
    """
    n, features = out.shape
    defaults = factors[:features]
    matrix = np.empty((features, n), dtype=np.float64)
    for feature in range(features):
        matrix[feature] = defaults[feature]
    own, itself, ts = own_fields(program, columns), np.arange(n), columns[0]
    for line in table_of(program, PLANS):
        plan = program[line[PLAN_AT] : line[PLAN_AT] + line[PLAN_SIZE]]
        scales = factors[line[PLAN_FACTORS] : line[PLAN_FACTORS] + 2 * line[PLAN_FEATURES]]
        tiles, tile_sizes = group_of(numbers, sizes, groups, line[PLAN_TILES])
        events, event_sizes = group_of(numbers, sizes, groups, line[PLAN_EVENTS])
        owner = itself if line[PLAN_OWNER] < 0 else asked[line[PLAN_OWNER]]
        pair = itself if line[PLAN_PAIR] < 0 else columns[line[PLAN_PAIR]]
        answer_packed(
            *(
                plan,
                scales.reshape((2, line[PLAN_FEATURES])),
                most_exact,
                tiles,
                tile_sizes,
                events,
                event_sizes,
            ),
            *(asked[ASKED_SEQUENCE], asked[ASKED_NEWEST], owner, ts, pair, own, matrix),
        )
    compute(table_of(program, FORMULAS), defaults, columns, matrix)
    for row in range(n):
        for feature in range(features):
            out[row, feature] = matrix[feature, row]
