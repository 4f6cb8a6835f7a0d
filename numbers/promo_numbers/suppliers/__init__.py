"""Where numbers come from, behind one port."""

from .port import Held, NothingLeft, Offer, Supplier, SupplierDown, SupplierRefused, SupplierSilent, Wanted

__all__ = ["Held", "NothingLeft", "Offer", "Supplier", "SupplierDown", "SupplierRefused", "SupplierSilent", "Wanted"]
