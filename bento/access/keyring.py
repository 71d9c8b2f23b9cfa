"""The keys as one API process knows them: in memory, and a second behind the file."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from bdp_assets.observability.metrics import API_KEYS_UNREADABLE
from bento.access.file import KeyFileError, load
from bento.access.keys import Key, id_of

EVERY_S = 1.0

_Mark = tuple[int, int, int]
_log = logging.getLogger("bdp.api.keys")


class Keyring:
    """Follows a key file. While that is missing or damaged the last good state stays; at first, no key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: _Mark | None = None
        self._complaint = ""
        self._keys: dict[str, Key] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="api keys", daemon=True)

    def start(self) -> None:
        """Read the file, then follow it in the background."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def find(self, shown: str, now_ms: int) -> Key | None:
        """The key that a caller presents, if it is good now."""
        key = self._keys.get(id_of(shown) or "")
        return key if key is not None and key.is_opened_by(shown, now_ms) else None

    def look(self) -> None:
        """Read the file if it changed."""
        try:
            mark = _mark(self._path)
            if mark != self._mark:
                self._keys = {key.id: key for key in load(self._path).keys}
                self._mark, self._complaint = mark, ""
                _log.info("API keys read", extra={"keys": len(self._keys)})
        except KeyFileError as error:
            self._complain(str(error))
        API_KEYS_UNREADABLE.set(1 if self._complaint else 0)

    def _complain(self, complaint: str) -> None:
        """Once for each reason."""
        self._mark = None
        if complaint == self._complaint:
            return
        self._complaint = complaint
        known = len(self._keys)
        now = f"the {known} known before stay" if known else "every call is refused; see `bdp keys create`"
        _log.error("%s API keys: %s", complaint, now)

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.look()


def _mark(path: Path) -> _Mark:
    """Differs where the file was written or replaced."""
    try:
        found = path.stat()
    except OSError as error:
        raise KeyFileError(f"Can not read the API keys in {path}: {error.strerror}.") from error
    return found.st_ino, found.st_mtime_ns, found.st_size
