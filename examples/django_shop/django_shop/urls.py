"""Which view answers what."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from django_shop import views

urlpatterns = [
    path("", views.page, name="page"),
    path("login", LoginView.as_view(), name="login"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
    path("orders", views.place, name="place"),
    path("kitchen/<str:order_id>/<str:status>", views.kitchen, name="kitchen"),
    path("courier/<str:order_id>", views.courier, name="courier"),
]
