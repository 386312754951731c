"""A network between a client and PostgreSQL that loses what the server says to a COMMIT, once.

    cutting_proxy.py PORT

Prints the port that it listens on. The first COMMIT whose transaction wrote into semblance.runs reaches the server, its
answer does not come back: the connection is closed instead. Everything else passes.
"""
import socket
import sys
import threading

lost = threading.Event()


def serve(client, port):
    server = socket.create_connection(("127.0.0.1", port))
    state = {"writes": False}

    def watch(data):
        if b"UPDATE semblance.runs SET batches" in data:
            state["writes"] = True
        if b"COMMIT\0" in data and state["writes"] and not lost.is_set():
            lost.set()
            state["cut"] = True

    def answers():
        while data := server.recv(65536):
            if state.get("cut"):
                print("lost", flush=True)
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(data)

    def safely():
        try:
            answers()
        except OSError:
            pass

    def sees_first():
        # The cut is decided before the server can answer.
        try:
            while data := client.recv(65536):
                watch(data)
                server.sendall(data)
        except OSError:
            pass
        server.close()

    threading.Thread(target=safely, daemon=True).start()
    sees_first()


def main(port):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, port), daemon=True).start()


main(int(sys.argv[1]))
