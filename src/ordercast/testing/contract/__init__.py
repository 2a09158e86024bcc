"""What who keeps orders promises, as tests: for a shop with tables of its own (docs/howto/own-tables.md).

::

    class TestOurTable(OrderContract):
        @pytest.fixture
        def storage(self, tmp_path):
            return our_storage(tmp_path)      # empty, with `opened(settings)`, as Ordercast takes it

`OrderContract` is what must hold; `NumberContract`, `RetentionContract`, `FigureContract`, `PersonalDataContract` and
`ProcessContract` are for what a shop may leave out. What a table cannot keep (ids that are no numbers, say) is told by
overriding the attributes of `Contract`.

Needs pytest and pytest-asyncio, which ``pip install ordercast`` does not bring.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{name}"
        for name in ("kit", "changes", "concurrency", "idempotency", "log", "optional", "orders", "pages", "personal")
    )
)

from ordercast.testing.contract.changes import Changes, Puts  # noqa: E402 - after what its asserts need
from ordercast.testing.contract.concurrency import Concurrency, ProcessContract  # noqa: E402
from ordercast.testing.contract.idempotency import Idempotency  # noqa: E402
from ordercast.testing.contract.kit import Clock, Contract  # noqa: E402
from ordercast.testing.contract.log import Log  # noqa: E402
from ordercast.testing.contract.optional import FigureContract, NumberContract, RetentionContract  # noqa: E402
from ordercast.testing.contract.orders import Orders  # noqa: E402
from ordercast.testing.contract.pages import Pages, Search  # noqa: E402
from ordercast.testing.contract.personal import PersonalDataContract  # noqa: E402

__all__ = [
    "Clock",
    "Contract",
    "FigureContract",
    "NumberContract",
    "OrderContract",
    "PersonalDataContract",
    "ProcessContract",
    "RetentionContract",
]


class OrderContract(Orders, Changes, Puts, Pages, Search, Idempotency, Concurrency, Log):
    """All that must hold of `Kept.orders` and `Kept.log`."""
