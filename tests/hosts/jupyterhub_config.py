"""A hub on loopback for tests/hosts/hosts.test.ts: any name may log in, and its server is a process of this user."""
import os

c = get_config()  # noqa: F821
port = int(os.environ['HUB_PORT'])
c.JupyterHub.bind_url = f'http://127.0.0.1:{port}'
c.JupyterHub.hub_bind_url = f'http://127.0.0.1:{port + 1}'
c.ConfigurableHTTPProxy.api_url = f'http://127.0.0.1:{port + 2}'
c.ConfigurableHTTPProxy.command = [os.environ['HUB_NODE'], os.environ['HUB_PROXY']]
c.JupyterHub.authenticator_class = 'dummy'
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = 'simple'
c.Spawner.notebook_dir = '.'
c.Spawner.args = ['--allow-root'] if os.getuid() == 0 else []
c.Spawner.env_keep = ['PATH', 'JUPYTER_PATH', 'GRAFT_HISTORY', 'GRAFT_RUNS', 'GRAFT_CACHE_DIR']
c.JupyterHub.services = [{'name': 'test', 'api_token': os.environ['HUB_TOKEN']}]
c.JupyterHub.load_roles = [{'name': 'test', 'services': ['test'], 'scopes': ['admin:users', 'admin:servers', 'tokens', 'access:servers']}]
