# Listens at a socket as systemd does, and prints each message as a line of JSON.
import json, os, socket, sys

path = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(path)
print(json.dumps({"listening": path}), flush=True)
while True:
    message, ancillary, _, _ = listener.recvmsg(4096, 1024)
    for level, kind, data in ancillary:  # a barrier: who sent it waits until its descriptor is closed
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            for at in range(0, len(data) - len(data) % 4, 4):
                os.close(int.from_bytes(data[at : at + 4], sys.byteorder))
    print(json.dumps(message.decode()), flush=True)
