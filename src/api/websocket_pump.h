/* Carries bytes between a WebSocket client and a stream that knows nothing of frames, on the caller's thread. */
#pragma once

#include "http/websocket.h"

/* Until either side ends; both descriptors stay the caller's. A close frame is answered, or sent where `stream` ends
   first. */
void websocket_pump(int client, int stream, enum websocket_opcode opcode);
