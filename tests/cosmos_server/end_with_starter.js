"use strict";

// Required before a server: it ends when its standard input does, and so never outlives whoever started it.

process.stdin.on("end", () => process.exit(0)).resume();
