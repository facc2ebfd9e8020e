"""A plugin of pytest that meters every trainer of a suite; it lies alone, as suites have packages called ``tests``."""

import lightning_carbon

lightning_carbon.autolog()
