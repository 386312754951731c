"""How a Python bot asks Semblance, with the standard library alone.

    python_bot.py ADDRESS health
    python_bot.py ADDRESS similar IMAGE_ID
    python_bot.py ADDRESS picture FILE
    python_bot.py ADDRESS embed IMAGE_ID

ADDRESS is where `semblance serve` listens, such as http://127.0.0.1:8000; SEMBLANCE_API_KEY is sent where it is set.
"""

import json
import os
import sys
import urllib.error
import urllib.request


class Semblance:
    def __init__(self, address, key=None):
        self.address, self.key = address.rstrip("/"), key

    def ask(self, path, body=None, method=None):
        """What an address answers; raises RuntimeError with the server's own sentence."""
        request = urllib.request.Request(self.address + path, data=body, method=method)
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            raise RuntimeError(f"{problem['code']}: {problem['detail']}") from None

    def health(self):
        return self.ask("/health")

    def embed(self, image_id):
        """Has a new image embedded now, once its row says that it is completed."""
        self.ask(f"/api/v1/images/{image_id}/embed", method="POST")

    def similar(self, image_id, limit=5, threshold=0.7):
        """Images of the same owner that look like one, nearest first: (id, cosine)."""
        found = self.ask(f"/api/v1/images/{image_id}/similar?limit={limit}&threshold={threshold}")
        return [(hit["image"]["id"], hit["similarity"]) for hit in found["hits"]]

    def similar_to_picture(self, picture, limit=5, threshold=0.7):
        """Images that look like the bytes of a picture."""
        found = self.ask(f"/api/v1/similar?limit={limit}&threshold={threshold}", picture)
        return [(hit["image"]["id"], hit["similarity"]) for hit in found["hits"]]


def main():
    address, what, *rest = sys.argv[1:]
    semblance = Semblance(address, os.environ.get("SEMBLANCE_API_KEY"))
    if what == "health":
        health = semblance.health()
        print(health["status"], health.get("embedding_stats", {}).get("coverage_percentage", ""))
    elif what == "embed":
        semblance.embed(int(rest[0]))
        print(f"image {rest[0]} is embedded")
    elif what == "similar":
        for image, cosine in semblance.similar(int(rest[0])):
            print(f"image {image}: {cosine:.3f}")
    elif what == "picture":
        with open(rest[0], "rb") as picture:
            for image, cosine in semblance.similar_to_picture(picture.read()):
                print(f"image {image}: {cosine:.3f}")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as problem:
        sys.exit(f"Semblance: {problem}")
