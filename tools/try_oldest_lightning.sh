#!/usr/bin/env bash
# Run the tests of Lightning's callback with the oldest Lightning that is supported.
#
#   tools/try_oldest_lightning.sh                  2.2.5
#   LIGHTNING=2.4.0 tools/try_oldest_lightning.sh  another version
#   tools/try_oldest_lightning.sh -k rows          more words for pytest
#
# A throw-away environment gets that version of both packages and sees everything else, torch included, in the .venv that
# `make venv` makes. It downloads about 5 MB: setuptools, too,
# for Lightning 2.2 imports pkg_resources, which setuptools 82 no longer has.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${LIGHTNING:-2.2.5}
[ -x .venv/bin/python ] || { echo "run 'make venv' first" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

.venv/bin/python -m venv --without-pip "$folder/env"
seen=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
own=$("$folder/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
.venv/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --target "$own" \
	"lightning==$version" "pytorch-lightning==$version" 'setuptools<81'
# Read last, so that what was just installed comes first; addsitedir also reads that environment's own .pth files.
echo "import site; site.addsitedir('$seen')" > "$own/zz_the_rest.pth"

"$folder/env/bin/python" - "$version" <<'PYTHON'
import sys

import lightning.pytorch
import pytorch_lightning
import torch

found = {lightning.pytorch.__version__, pytorch_lightning.__version__}
print(f"Lightning {', '.join(sorted(found))}, torch {torch.__version__}, Python {sys.version.split()[0]}")
sys.exit(found != {sys.argv[1]})
PYTHON
# Old versions warn of what newer Python, torch and setuptools have deprecated; that is not what is looked for here.
"$folder/env/bin/python" -m pytest -W default -p no:cacheprovider tests/integration/lightning "$@"
