"""A shop in Django, with live orders inside it.

    cd examples/django_shop
    export ORDERCAST_JWT_SECRET=$(python3 -c "import secrets; print(secrets.token_urlsafe(48))")
    python manage.py migrate
    python manage.py createsuperuser --username kim    # who works in the kitchen
    uvicorn django_shop.asgi:application

http://127.0.0.1:8000 is its page: staff move orders along, everyone else orders. Everything Ordercast serves is there
below ``/live``. Under a WSGI server there are no live orders: Ordercast needs the event loop of an ASGI one.
"""
