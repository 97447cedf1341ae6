"""Prints the pod that KubeSpawner would ask a cluster for with the values of deploy/zero-to-jupyterhub.yaml; no cluster is asked."""
import asyncio
import json
import os
import sys

# Whatever is a cluster's address: nobody calls it.
os.environ.update(KUBERNETES_SERVICE_HOST='127.0.0.1', KUBERNETES_SERVICE_PORT='1')

import yaml
from kubernetes_asyncio import client
from kubespawner import KubeSpawner, spawner

spawner.load_config = spawner.shared_client = lambda *_, **__: None
values = yaml.safe_load(open(sys.argv[1]))['singleuser']


async def main():
    pod = KubeSpawner(
        _mock=True, image='{name}:{tag}'.format(**values['image']), environment=values['extraEnv'],
        mem_guarantee=values['memory']['guarantee'], mem_limit=values['memory']['limit'],
        cpu_guarantee=values['cpu']['guarantee'], cpu_limit=values['cpu']['limit'], storage_capacity=values['storage']['capacity'])
    manifest = client.ApiClient().sanitize_for_serialization(await pod.get_pod_manifest())
    print(json.dumps(manifest['spec']['containers'][0]))


asyncio.run(main())
