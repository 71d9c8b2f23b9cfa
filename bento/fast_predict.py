"""POST /api/v1/predict without ASGI: what `app.predict` does, for a request that has come whole."""

from __future__ import annotations

import asyncio
from asyncio import Future
from functools import partial

from bdp_assets.contracts.records import Prediction
from bento import replies
from bento.access.scopes import NEEDS
from bento.admission import admit, charge
from bento.calls import Call
from bento.context import Context, Headers
from bento.errors import ApiError
from bento.fast_path import Answer
from bento.frame import Framed
from bento.requests import SINGLE_LIMIT_BYTES, require_body, require_head
from bento.serving import Serving

METHOD, PATH = "POST", "/api/v1/predict"
_SCOPES = NEEDS[PATH]


class FastPredict:
    """Needs no task: each call is a future, and the answer is written where that is done."""

    serving: Serving

    def start(self, headers: Headers, address: str, body: bytes, answer: Answer) -> None:
        """Ask; `answer` gets what came of it, never before this returns."""
        framed = Framed(headers)
        self._asked(framed.context, address, body).add_done_callback(partial(_answer, framed, answer))

    def _asked(self, context: Context, address: str, body: bytes) -> Future[Prediction | ApiError]:
        serving = self.serving
        try:
            admit(serving.access, context, address, _SCOPES)
            charge(serving.access, context, 1)
            require_head(context.headers, SINGLE_LIMIT_BYTES)
            require_body(len(body), SINGLE_LIMIT_BYTES)
            return serving.predictor.ask(body, Call(context.request_id, context.traceparent))
        except Exception as error:  # noqa: BLE001 - a refusal or a defect, told as one that comes later
            return _refused(error)


def _refused(error: Exception) -> Future[Prediction | ApiError]:
    """No frame that the error keeps may name it: else each refusal is a cycle, for the collector."""
    refused: Future[Prediction | ApiError] = asyncio.get_running_loop().create_future()
    refused.set_exception(error)
    return refused


def _answer(framed: Framed, answer: Answer, asked: Future[Prediction | ApiError]) -> None:
    context, is_defect = framed.context, False
    try:
        reply = replies.decided(asked.result(), context.request_id)
    except ApiError as refusal:
        reply = replies.refused(refusal, context.request_id)
    except Exception as defect:  # noqa: BLE001 - it is logged
        reply, is_defect = replies.failed(defect, context), True
    finally:
        del asked  # As in `_refused`.
    answer(reply, framed.headers(PATH), closes=is_defect)
    framed.end(METHOD, PATH, reply.status)
