"""connexion 3 behind Mangum. It validates requests and responses."""

import logging
import warnings
from pathlib import Path

from mangum import Mangum

from tools.benchmarks.peers.board_document import DOCUMENT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import connexion

logging.getLogger("connexion").setLevel(logging.ERROR)

app = connexion.AsyncApp(__name__, specification_dir=Path(__file__).parent)
app.add_api(DOCUMENT, validate_responses=True, strict_validation=True)

handler = Mangum(app, lifespan="off")
