# Source it after common.sh: sets `python` to one that has TRL and the other peers (AHA_PEERS_PYTHON names one;
# else .deps/peers is made), and `tool NAME` builds a benchmark and prints its path.
make_peers() {
  python3 -m venv "$deps/peers" &&
    "$deps/peers/bin/pip" install --disable-pip-version-check torch==2.11.0 transformers==5.23.0 trl==1.16.0 datasets numpy tensorboard gguf==0.19.0 xllamacpp==2026.10.11549
}
tool() {
  scripts/build.sh "$1" || exit 1
  find "$build" -name "$1" -type f | head -1
}

[ -x "$build/aha" ] || die "bench" "$build/aha is not built" "run scripts/build.sh"
python=${AHA_PEERS_PYTHON:-$deps/peers/bin/python}
if [ ! -x "$python" ]; then
  step "making an environment with the peers" "about 3 min, 5 GB" make_peers
  python=$deps/peers/bin/python
fi
