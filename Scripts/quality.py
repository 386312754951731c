"""Nearest-neighbour category accuracy of the vectors in a bot's database. See Scripts/quality."""

import collections
import json
import sqlite3
import struct
import subprocess
import sys

EXCLUDED = "cartoon symbols _mirror alphabets clothes seasonal hobbies".split()


def pictures(database):
    """The label, the vector and the id of each picture that counts."""
    rows = sqlite3.connect(database).execute("SELECT original_path, embedding, id FROM images ORDER BY original_path")
    for path, blob, image in rows:
        if path.endswith(".png") and not any(word in path for word in EXCLUDED):
            yield "/".join(path.split("/")[:-1][:2]), struct.unpack(f"<{len(blob) // 4 - 1}f", blob[4:]), image


def precision_of_command(semblance, found):
    """Precision at 5 of what `semblance similar` answers, among the pictures that count."""
    labels = {image: label for label, _, image in found}
    hits = 0
    for label, _, image in found:
        command = [semblance, "similar", str(image), "--scope", "all", "--threshold", "-1", "--limit", "1000", "--json"]
        answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["similar"]
        nearest = [hit["image_id"] for hit in answer if hit["image_id"] in labels][:5]
        hits += sum(labels[other] == label for other in nearest)
    return hits / 5 / len(found)


def main():
    database, nearest_goal, precision_goal = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    found = list(pictures(database))
    sizes = collections.Counter(label for label, _, _ in found)
    found = [picture for picture in found if sizes[picture[0]] >= 4]
    nearest = precision = 0
    for index, (label, vector, _) in enumerate(found):
        scores = [
            (sum(map(float.__mul__, vector, other)), other_label)
            for position, (other_label, other, _) in enumerate(found)
            if position != index
        ]
        best = sorted(scores, reverse=True)[:5]
        nearest += best[0][1] == label
        precision += sum(other == label for _, other in best) / 5
    nearest, precision = nearest / len(found), precision / len(found)
    labels = len({label for label, _, _ in found})
    print(f"{len(found)} pictures, {labels} labels: 1-NN {nearest:.3f} (reference {nearest_goal}), "
          f"P@5 {precision:.3f} (reference {precision_goal})")
    answered = precision_of_command(sys.argv[4], found)
    print(f"precision at 5 of what semblance similar answers: {answered:.3f}")
    if abs(answered - precision) > 0.01 or abs(nearest - nearest_goal) > 0.01 or abs(precision - precision_goal) > 0.01:
        sys.exit("quality: more than 0.01 away from the reference")


if __name__ == "__main__":
    main()
