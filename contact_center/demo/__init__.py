"""The demo: a shop with a living floor, on loopback only. Nothing of it is loaded outside `contact-center demo`."""
