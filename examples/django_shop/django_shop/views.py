"""The shop's page and its business code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from django_shop.live import live
from ordercast.auth import sign_token
from ordercast.errors import Problem
from ordercast.orders.ids import json_id
from ordercast.orders.models import NewOrder, Order
from ordercast.orders.principal import Principal, Role

SIGNED_IN_FOR = 12 * 3600.0  # s: a working day
SHOP = Principal("shop", Role.SERVICE)
"""Who the shop's own code is."""

AsyncView = Callable[..., Awaitable[HttpResponse]]


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The page of whoever has signed in, with a token for Ordercast in it."""
    role = Role.OPERATOR if request.user.is_staff else Role.CUSTOMER
    token = sign_token(live.settings, request.user.pk, role, SIGNED_IN_FOR)
    return render(request, "page.html", {"token": token})


def in_words(view: AsyncView) -> AsyncView:
    """What Ordercast says no to, in its own words: no such order, a step that the workflow does not have …"""

    @wraps(view)
    async def wrapped(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return await view(*args, **kwargs)
        except Problem as problem:
            return JsonResponse({"detail": problem.detail}, status=problem.status)

    return wrapped


@require_POST
@login_required
@in_words
async def place(request: HttpRequest) -> HttpResponse:
    """Business code: a new order, which its customer and the operators learn of."""
    user = await request.auser()
    written = await live.orders.create(NewOrder(customer_id=str(user.pk), items=[{"name": "pizza"}]), SHOP)
    return JsonResponse({"orderId": json_id(written.order.order_id)}, status=201)


@require_POST
@login_required
@in_words
async def kitchen(request: HttpRequest, order_id: str, status: str) -> HttpResponse:
    """Business code in an async view: a dish moves along, and everyone concerned learns it."""
    user = await request.auser()
    if not user.is_staff:
        return JsonResponse({"detail": "Only staff do that."}, status=403)
    return answer(await live.orders.change_status(order_id, status, updated_by=user.pk))


@require_POST
@login_required
def courier(request: HttpRequest, order_id: str) -> HttpResponse:
    """The same in a plain view: `async_to_sync` takes the call to the server's event loop, where Ordercast lives."""
    if not request.user.is_staff:
        return JsonResponse({"detail": "Only staff do that."}, status=403)
    try:
        return answer(
            async_to_sync(live.orders.change_status)(order_id, "out_for_delivery", updated_by=request.user.pk)
        )
    except Problem as problem:
        return JsonResponse({"detail": problem.detail}, status=problem.status)


def answer(order: Order) -> HttpResponse:
    """What the shop's own scripts are told."""
    return JsonResponse({"orderId": json_id(order.order_id), "status": order.status, "version": order.version})
