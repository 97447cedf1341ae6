"""Runs the jobs of `graft sweep` on a Ray cluster, one task each.

    python deploy/ray_sweep.py --jobs 8 -- node cli/graft.js sweep NOTEBOOK -p learningRate=1e-2,1e-3 -p seed=1,2,3,4 -o /shared/sweep

Notebook and folder must be reachable from all machines. A job that fails is named by the report at the end; the others are kept.
"""
import argparse
import subprocess
import sys

import ray

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument('--jobs', type=int, required=True, help='how many combinations there are')
options.add_argument('--cpus', type=float, default=2, help='processors for each; default 2')
options.add_argument('--address', help='of the cluster; default: one on this machine')
options.add_argument('command', nargs='+')
options = options.parse_args()


@ray.remote(num_cpus=options.cpus, max_retries=1)
def job(task):
    return subprocess.run([*options.command, '--task', str(task)], check=False).returncode


ray.init(address=options.address, include_dashboard=False)
ray.get([job.remote(task) for task in range(options.jobs)])
sys.exit(subprocess.run([*options.command, '--status'], check=False).returncode)
