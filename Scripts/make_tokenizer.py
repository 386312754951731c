#!/usr/bin/env python3
"""Writes vocab.json and merges.txt of CLIP's tokenizer from the list of merges that the open-clip wheel carries.

Lines 2 to 48895 of the list are the merges. The vocabulary is the 256 letters that stand for bytes, the same at the end
of a word, the merges joined, and the two marks: 49408 tokens.

Usage: make_tokenizer.py bpe_simple_vocab_16e6.txt.gz FOLDER
"""

import gzip
import json
import os
import sys


def byte_letters():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


source, folder = sys.argv[1:]
with gzip.open(source, "rt", encoding="utf-8") as file:
    merges = file.read().split("\n")[1:48895]
letters = byte_letters()
tokens = letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in merges]
tokens += ["<|startoftext|>", "<|endoftext|>"]
if len(tokens) != 49408:
    sys.exit(f"the vocabulary has {len(tokens)} tokens, not 49408")
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as file:
    file.write("#version: 0.2\n" + "\n".join(merges) + "\n")
with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as file:
    json.dump({token: index for index, token in enumerate(tokens)}, file)
