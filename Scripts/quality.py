"""Nearest-neighbour category accuracy of the vectors in a bot's database. See Scripts/quality."""

import collections
import sqlite3
import struct
import sys

EXCLUDED = "cartoon symbols _mirror alphabets clothes seasonal hobbies".split()


def pictures(database):
    rows = sqlite3.connect(database).execute("SELECT original_path, embedding FROM images ORDER BY original_path")
    for path, blob in rows:
        if path.endswith(".png") and not any(word in path for word in EXCLUDED):
            yield "/".join(path.split("/")[:-1][:2]), struct.unpack(f"<{len(blob) // 4 - 1}f", blob[4:])


def main():
    database, nearest_goal, precision_goal = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    found = list(pictures(database))
    sizes = collections.Counter(label for label, _ in found)
    found = [(label, vector) for label, vector in found if sizes[label] >= 4]
    nearest = precision = 0
    for index, (label, vector) in enumerate(found):
        scores = [
            (sum(map(float.__mul__, vector, other)), other_label)
            for position, (other_label, other) in enumerate(found)
            if position != index
        ]
        best = sorted(scores, reverse=True)[:5]
        nearest += best[0][1] == label
        precision += sum(other == label for _, other in best) / 5
    nearest, precision = nearest / len(found), precision / len(found)
    labels = len({label for label, _ in found})
    print(f"{len(found)} pictures, {labels} labels: 1-NN {nearest:.3f} (reference {nearest_goal}), "
          f"P@5 {precision:.3f} (reference {precision_goal})")
    if abs(nearest - nearest_goal) > 0.01 or abs(precision - precision_goal) > 0.01:
        sys.exit("quality: more than 0.01 away from the reference")


if __name__ == "__main__":
    main()
