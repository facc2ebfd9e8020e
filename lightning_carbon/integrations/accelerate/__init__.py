"""The tracker for loops on Hugging Face's Accelerate."""

from importlib.util import find_spec

if find_spec("accelerate") is None:
    raise ImportError("CarbonTracker needs Accelerate: pip install 'lightning-carbon[accelerate]'")

from lightning_carbon.integrations.accelerate.telling import tell_trackers as tell_trackers
from lightning_carbon.integrations.accelerate.tracker import CarbonTracker as CarbonTracker
