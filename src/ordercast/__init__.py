"""Ordercast: live order status over Socket.IO."""

__version__ = "0.1.0"
