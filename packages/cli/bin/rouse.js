#!/usr/bin/env node
// Not built, so that npm can link the command before anything is.
import "../dist/main.js"
