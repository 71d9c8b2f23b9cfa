"""Numbers that compiled code and its callers agree on. Nothing is imported here: a catalog needs no more."""

from __future__ import annotations

# Aggregates, as `aggregates.AGGREGATES` names them.
COUNT, SUM, MEAN, STD, SHARE, LEAST, GREATEST, LAST, SINCE_LAST, SINCE_FIRST, DISTINCT = range(11)
RUN = 11
"""Of looks only: where the run of matching events began that each event is in."""

# Formulas, as `formulas.FORMULAS` names them; the columns of a table of row features: which formula, where
# its feature stands among all, and its inputs.
MAJOR_UNITS, SATURATION, IS_ROUND, IS_HIGH_VALUE, OF_HOUR, OF_WEEKDAY, IS_WEEKEND, IS_NIGHT = range(8)
IS_ZERO, DIFFERENCE, RATIO, ZSCORE = range(8, 12)
FORMULA, FORMULA_SLOT, FORMULA_INPUT = range(3)
INPUTS = 3
"""How many inputs a formula has at most."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NIGHT_ENDS, THURSDAY, SATURDAY = 6, 3, 5
HIGH_VALUE = 50_000
"""500.00 in minor units."""

# The columns of a plan's tables: bounds, sums, and the line of each feature (-1: has none).
SHIFT, STEP, EXACT, ENDLESS = range(4)
FIELD, FROM, TO, OWN = range(4)
CODE, START, END, MATCHING, TOTAL, HIGH, LOW, EVENTS, LOOK, NOTHING, OWN_LOOK, PICK, HOP, RUN_LOOK = range(14)
LINE = 14
"""How many columns a line has."""

# How a field is read of a row's columns (see `fields.Source`), and the columns of a table of such sources.
ONE, VALUES, HIGH_BITS, LOW_BITS, SPLIT, SOME, ABSENT = range(7)
OP, SOURCE_COLUMN, SOURCE_MATCH, SOURCE_NONE = range(4)
SOURCE = 4

# Which rows count for a field: the columns of a table of such tests (see `formulas.Filter`, here in single
# units; TEST_COLUMN -1: all rows do; TEST_EXACT 1: of these the exact ones).
TEST_COLUMN, TEST_LEAST, TEST_BELOW, TEST_START, TEST_PERIOD, TEST_EXACT = range(6)
TEST = 6

# How the stored rows of an entity are read: the columns of a row of such rules. REACH, NEAREST: how long (ms)
# before a query its windows begin at most, and end at least.
TILE_WIDTH, TILES_RETAINED, RECORD_WIDTH, FOLDED_TO, RETAINED, KEEPS_ALL = range(6)
PAIR_COLUMN, PAIRS_FOLDED, SUMMED, WINDOW_FOLD, REACH, NEAREST = range(6, 12)
RULES = 12

# A plan for stored rows is one array, since each one that is passed costs: tables one after the other, and in
# front where each begins, how many rows it has, and how wide they are.
PLAN_RULES, TILE_SOURCES, EVENT_SOURCES, TESTS, LOOKINGS, LOOK_CODES, PICKINGS, OWN_AT = range(8)
BOUNDS, SUMS, LINES, SLOTS, TILE_COLUMNS, EVENT_COLUMNS = range(8, 14)
PLAN_TABLES = 14

# So is all that transactions are answered with: their own fields, lines of plans, and row features; the plans
# themselves follow. A line of a plan says where it begins, which strings its tiles and events are among (-1:
# none), which row of what is asked has the owner (-1: the transaction itself), which column makes the pair
# (-1: no pair), where its factors begin, and how many features it has.
OWN_SOURCES, OWN_TESTS, OWN_COLUMNS, PLANS, FORMULAS = range(5)
PROGRAM_TABLES = 5
PLAN_AT, PLAN_SIZE, PLAN_TILES, PLAN_EVENTS, PLAN_OWNER, PLAN_PAIR, PLAN_FACTORS, PLAN_FEATURES = range(8)
PLAN_LINE = 8
ASKED_SEQUENCE, ASKED_NEWEST, ASKED_OWNERS = range(3)
"""Rows of what is asked: a transaction's own sequence, the newest event before it, and owners it shares."""

# What is looked at in each row: a value, the row's own place, the place before of an id, or the start of a
# run; and the columns of a table of looks.
PLAIN, PLACE, PLACE_BEFORE, STARTS = range(4)
LOOK_KIND, LOOK_OF, LOOK_SEEN, LOOK_NONE, LOOK_HOP, LOOK_REACH = range(6)

# What a look that finds nothing gives.
NONE_LOWEST, NONE_HIGHEST, NO_ROW, NEVER = 2**40, -1, -1, 2**52
"""`NEVER`: a time (ms) after all others that doubles hold exactly."""
NOWHERE = 2**62
"""The place before of what is not counted: after all others."""
BEFORE = -(2**62)
"""The time (ms) of what no window can reach any more, but one over all history."""
EVERYTHING = 2**62 + 2**61
"""How far back (ms) a window over all history reaches: what is BEFORE all, too."""
SPLIT_BITS = 20
"""A sum is kept in two columns, so that Lua, whose numbers are doubles, adds up 2**33 events exactly."""
SQUARE_BITS = 40
"""Squares are kept in two parts: their low 40 bits, and what is above."""
SEQUENCE_BITS = 32
"""How many low bits of a stored event's moment are its apply sequence (see `records`)."""
