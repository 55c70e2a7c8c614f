#!/usr/bin/env bash
# The installed wheel, away from the checkout: build sdist and wheel, install the wheel into a venv that
# borrows only the other packages, then run the compiler's tests and a few commands there.
# usage: test_wheel.sh PYTHON    (a python that has everything, such as .venv/bin/python)
set -euo pipefail
root=$PWD
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") # absolute, but not resolved: the venv is its place
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "building sdist, and the wheel from it"
"$python" -m build --no-isolation --outdir "$work/dist" "$root" >"$work/build.log" 2>&1 ||
  { cat "$work/build.log"; exit 1; }

# A path line in a .pth file does not run the .pth files found there, so the editable dlspec stays out.
"$python" -m venv --without-pip "$work/venv"
borrowed=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
site=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$borrowed" >"$site/borrowed.pth"
"$python" -m pip --python "$work/venv/bin/python" install --quiet --disable-pip-version-check \
  --no-deps --no-index "$work"/dist/*.whl

mkdir "$work/elsewhere"
cp -r tests specs pyproject.toml "$work/elsewhere"
cd "$work/elsewhere"
export PATH="$work/venv/bin:$(dirname "$python"):$PATH"
unset PYTHONPATH
python - <<'PY'
import sys, dlspec
assert dlspec.__file__.startswith(sys.prefix), f"not the installed wheel: {dlspec.__file__}"
PY

echo "commands of the installed wheel"
dlspec check specs/survey/cnn.dls
for backend in torch keras onnx; do
  dlspec compile specs/survey/cnn.dls --to "$backend" --out "out/$backend" >/dev/null
done
dlspec export specs/survey/cnn.dls --out cnn.onnx >/dev/null
dlspec verify specs/survey/cnn.dls

echo "tests against the installed wheel"
python -m pytest tests -p no:cacheprovider -m "not checkout and not slow" -n "${WORKERS:-2}" --dist loadfile
