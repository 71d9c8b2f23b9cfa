"""What counts as drift; the tests hold the code to these figures."""

from __future__ import annotations

FALSE_DISCOVERY_RATE = 0.01
"""Benjamini-Hochberg over all that is compared on one day."""
LEAST_PSI = 0.1
"""Population stability index of a feature or score below which a difference is too small to matter."""
LEAST_RATIO = 2.0
"""By which factor the share of frauds has to rise or fall: a PSI is blind to what is rare."""
LEAST_ROWS = 200
"""Rows of a day, in a segment, below which nothing is judged."""
LEAST_DAYS = 14
"""Training days below which there is no telling how much days differ."""
FALSE_ALARM_SHARE = 0.05
"""At most this share of days without drift may alarm: the stated bound, above FALSE_DISCOVERY_RATE since days
are not drawn as the method assumes. A test counts on 200 simulated days."""
