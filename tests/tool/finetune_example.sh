#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An example that tunes real weights: PCK rises, and the checkpoint gives the tuned PCK again.
set -euo pipefail
if [ -z "${HOMOLOG_VITS14_WEIGHTS:-}" ]; then
  echo "[skipped] no ViT-S/14 weights (HOMOLOG_VITS14_WEIGHTS)"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" "$HOMOLOG_VITS14_WEIGHTS" "$folder/example" | tee "$folder/out"
awk '/^frozen/ {frozen = $NF} /^tuned/ {tuned = $NF} /^from/ {again = $NF}
     END {exit !(tuned > frozen + 3 && again == tuned)}' "$folder/out"
