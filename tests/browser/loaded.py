"""What the process that children are forked from loads before the first: the product with its templates."""

import gc

from contact_center import wiring
from contact_center.demo.server import FOLDER
from tests.browser import demo_stage, desk, floor

SERVED = (demo_stage.serve, desk.serve, floor.serve)

wiring.templates().warm()
wiring.templates((FOLDER / "templates",)).warm()
gc.freeze()
