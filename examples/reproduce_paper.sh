#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rows of "Semantic Correspondence with Visual Foundation Models" on your own weights and data,
# with the paper's numbers beside them: a table here and one HTML report. docs/how-to/report.md explains it.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: examples/reproduce_paper.sh --dataset NAME --root DIR --weights FILE [options]

  --dataset NAME          spair-71k, pf-pascal, pf-willow, synthetic or jsonl: tuned and tested on
  --root DIR              its folder
  --weights FILE          DINOv2 (the paper's: dinov2_vitb14)
  --dinov3-weights FILE   DINOv3 (the paper's: dinov3_vitl16); its row is left out without it
  --sam-weights FILE      SAM (the paper's: sam_vit_l), at 1024 px; its row is left out without it
  --cross NAME=DIR        test the tuned DINOv2 on this data set too (repeatable)
  --train-dataset NAME    tune on this data set instead of --dataset
  --train-root DIR        its folder
  --train-split S         pairs to tune on (default: trn or train, by the data set)
  --test-split S          pairs to test on (default: test)
  --image-size S          input side of DINOv2; DINOv3 takes the multiple of 16 below (default 518)
  --epochs N              of each tuning (default 8)
  --seeds "0 1 2"         a tuning for each (default: 0)
  --limit N               only the first N pairs of each split, for a trial
  --device D              cpu, cuda or cuda:i (default cpu)
  --output DIR            default: build/reproduce/NAME

Run it again to go on: results that exist are kept, tunings are resumed. The tool is built into
build/release, unless HOMOLOG names one.
TEXT
}

wrong() {
  echo "reproduce_paper.sh: $* (--help lists the options)" >&2
  exit 2
}

known_dataset() { [[ $1 =~ ^(spair-71k|pf-pascal|pf-willow|synthetic|jsonl)$ ]]; }
positive() { [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || wrong "$1: expected a positive whole number, got '$2'"; }

dataset='' root='' weights='' dinov3='' sam='' output=''
train_dataset='' train_root='' train_split='' test_split=test
image_size=518 epochs=8 seeds=0 limit=0 device=cpu
cross=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --dataset | --root | --weights | --dinov3-weights | --sam-weights | --cross | --train-dataset | \
      --train-root | --train-split | --test-split | --image-size | --epochs | --seeds | --limit | \
      --device | --output)
      [ $# -ge 2 ] || wrong "$1 needs a value"
      [ -n "$2" ] || wrong "$1: the value is empty"
      ;;
    *) wrong "unknown option '$1'" ;;
  esac
  case $1 in
    --dataset) dataset=$2 ;;
    --root) root=$2 ;;
    --weights) weights=$2 ;;
    --dinov3-weights) dinov3=$2 ;;
    --sam-weights) sam=$2 ;;
    --cross) cross+=("$2") ;;
    --train-dataset) train_dataset=$2 ;;
    --train-root) train_root=$2 ;;
    --train-split) train_split=$2 ;;
    --test-split) test_split=$2 ;;
    --image-size) image_size=$2 ;;
    --epochs) epochs=$2 ;;
    --seeds) seeds=$2 ;;
    --limit) limit=$2 ;;
    --device) device=$2 ;;
    --output) output=$2 ;;
  esac
  shift 2
done

[ -n "$dataset" ] || wrong "--dataset is missing"
known_dataset "$dataset" || wrong "--dataset: unknown data set '$dataset'"
[ -n "$root" ] || wrong "--root is missing"
[ -d "$root" ] || wrong "--root: no such folder: $root"
[ -n "$weights" ] || wrong "--weights is missing: DINOv2 ViT-B/14 for the paper's rows"
for file in "$weights" "$dinov3" "$sam"; do
  [ -z "$file" ] || [ -f "$file" ] || wrong "no such weights file: $file"
done
[ -z "$train_dataset" ] || known_dataset "$train_dataset" ||
  wrong "--train-dataset: unknown data set '$train_dataset'"
[ -z "$train_dataset" ] || [ -n "$train_root" ] || wrong "--train-dataset needs --train-root"
[ -z "$train_root" ] || [ -n "$train_dataset" ] || wrong "--train-root needs --train-dataset"
[ -z "$train_root" ] || [ -d "$train_root" ] || wrong "--train-root: no such folder: $train_root"
[ "$train_dataset" != pf-willow ] || wrong "--train-dataset: pf-willow has test pairs only"
for entry in "${cross[@]}"; do
  [[ $entry == *=* ]] || wrong "--cross: expected NAME=DIR, got '$entry'"
  known_dataset "${entry%%=*}" || wrong "--cross: unknown data set '${entry%%=*}'"
  [ -d "${entry#*=}" ] || wrong "--cross: no such folder: ${entry#*=}"
done
positive --image-size "$image_size"
[ "$image_size" -ge 16 ] || wrong "--image-size: expected at least 16, got $image_size"
positive --epochs "$epochs"
[ "$limit" = 0 ] || positive --limit "$limit"
[[ $seeds =~ ^[0-9]+( [0-9]+)*$ ]] || wrong "--seeds: expected whole numbers, got '$seeds'"

home=$(cd "$(dirname "$0")/.." && pwd)
output=${output:-$home/build/reproduce/$dataset}

# Tuning needs training pairs: of --dataset, unless others are named. PF-WILLOW has none.
if [ -z "$train_dataset" ] && [ "$dataset" != pf-willow ]; then
  train_dataset=$dataset train_root=$root
fi

# Kept results must have been made as the new ones will be.
mkdir -p "$output"
settings=$(printf '%s\n' "dataset $dataset $(realpath "$root")" "weights $(realpath "$weights")" \
  "train ${train_dataset:-none} ${train_root:+$(realpath "$train_root")} ${train_split:-default}" \
  "test $test_split" "image size $image_size" "epochs $epochs" "limit $limit")
if compgen -G "$output/*.json" >/dev/null; then
  [ "$(cat "$output/settings.txt" 2>/dev/null)" = "$settings" ] ||
    wrong "$output holds results of other settings (settings.txt there); name another --output"
fi
printf '%s\n' "$settings" >"$output/settings.txt"

if [ -n "${HOMOLOG:-}" ]; then
  homolog=$HOMOLOG
  say() { printf '\n== %s\n' "$*"; }
else
  root_of_data=$root root=$home build=$home/build  # names that prepare_machine.sh uses
  mkdir -p "$build"
  . "$home/cmake/prepare_machine.sh"
  need_packages "${build_packages[@]}"
  need_libtorch
  say "building the homolog tool (the first time this takes a few minutes)"
  tests=()  # a build made by tests/run.sh keeps its tests
  [ -f "$build/release/CMakeCache.txt" ] || tests=(-DHOMOLOG_BUILD_TESTS=OFF)
  configure_and_build "$build/release" homolog_tool -- "${tests[@]}"
  homolog=$build/release/bin/homolog
  root=$root_of_data
fi

limits=()
[ "$limit" = 0 ] || limits=(--limit "$limit")
results=()

evaluate() {  # NAME DATASET ROOT SPLIT OPTION...
  local name=$1 data=$2 folder=$3 split=$4
  shift 4
  results+=("$output/$name.json")
  if [ -f "$output/$name.json" ]; then
    say "$name: kept"
    return
  fi
  say "$name"
  "$homolog" evaluate --dataset "$data" --root "$folder" --split "$split" "${limits[@]}" \
    --device "$device" --json "$output/$name.json" --predictions "$output/$name.jsonl" "$@"
}

evaluate dinov2_frozen "$dataset" "$root" "$test_split" --weights "$weights" \
  --image-size "$image_size" --matcher argmax
if [ -n "$dinov3" ]; then
  evaluate dinov3_frozen "$dataset" "$root" "$test_split" --weights "$dinov3" \
    --image-size $((image_size / 16 * 16)) --matcher argmax
else
  echo "DINOv3 is left out, no --dinov3-weights: Meta gives them on request under its DINOv3 licence" \
    "(GitHub: facebookresearch/dinov3)"
fi
if [ -n "$sam" ]; then
  evaluate sam_frozen "$dataset" "$root" "$test_split" --weights "$sam" --image-size 1024 \
    --matcher argmax
else
  echo "SAM is left out, no --sam-weights: they are public under Apache-2.0" \
    "(GitHub: facebookresearch/segment-anything)"
fi

tune() {  # DEPTH SEED
  local name=k$1_seed$2 options=()
  if [ -f "$output/$name.training.json" ]; then
    say "tuning the last $1, seed $2: kept"
    return
  fi
  say "tuning the last $1, seed $2, on $train_dataset"
  [ -z "$train_split" ] || options+=(--split "$train_split")
  # The epoch with the best validation PCK is tested; jsonl sets may lack a validation split.
  if [ "$train_dataset" != jsonl ] || [ -f "$train_root/val.jsonl" ]; then
    options+=(--validation-split val)
  fi
  "$homolog" finetune --dataset "$train_dataset" --root "$train_root" "${limits[@]}" \
    --weights "$weights" --image-size "$image_size" --device "$device" --unfreeze "$1" \
    --loss soft-argmax-mse --epochs "$epochs" --seed "$2" --checkpoint-dir "$output/$name" \
    --resume --json "$output/$name.training.json" "${options[@]}"
}

window=(--matcher window-soft-argmax --window-radius 2 --temperature 10)
if [ -n "$train_dataset" ]; then
  for depth in 1 2 3; do
    for seed in $seeds; do
      tune "$depth" "$seed"
      tuned=(--weights "$weights" --checkpoint "$output/k${depth}_seed$seed"
        --image-size "$image_size")
      evaluate "k${depth}_seed${seed}_argmax" "$dataset" "$root" "$test_split" "${tuned[@]}" \
        --matcher argmax
      [ "$depth" = 1 ] || continue
      evaluate "k1_seed${seed}_window" "$dataset" "$root" "$test_split" "${tuned[@]}" "${window[@]}"
      for index in "${!cross[@]}"; do
        entry=${cross[$index]}
        evaluate "k1_seed${seed}_window_${entry%%=*}_$((index + 1))" "${entry%%=*}" "${entry#*=}" \
          test "${tuned[@]}" "${window[@]}"
      done
    done
  done
else
  echo "Nothing is tuned: PF-WILLOW has test pairs only. The paper tunes on SPair-71k:" \
    "--train-dataset spair-71k --train-root DIR"
fi

say "scores"
"$homolog" report "${results[@]}" --output "$output/report.html" --title "Reproduction on $dataset"
