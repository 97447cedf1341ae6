"""Brings pip into the virtual environment whose Python runs this, where Debian and Ubuntu leave out ensurepip: no root is needed.

Usage: python bring_pip.py FILE SHA256 [FOLDER]
FILE is the wheel's name; it is taken from FOLDER, or downloaded from the package index that pip's own settings name.
"""
import base64
import configparser
import hashlib
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request


def index():
    """PIP_INDEX_URL, else the index-url of pip's configuration files, else PyPI."""
    home = os.path.expanduser('~')
    config = configparser.ConfigParser(interpolation=None)
    places = ['/etc/pip.conf', '/etc/xdg/pip/pip.conf', f'{home}/.pip/pip.conf',
              os.path.join(os.environ.get('XDG_CONFIG_HOME', f'{home}/.config'), 'pip', 'pip.conf'),
              os.path.join(sys.prefix, 'pip.conf'), os.environ.get('PIP_CONFIG_FILE', '')]
    config.read(place for place in places if place)
    return os.environ.get('PIP_INDEX_URL') or config.get('global', 'index-url', fallback='https://pypi.org/simple')


def fetch(url):
    """An address' content; credentials in it are sent, as pip does. Proxies come from the environment."""
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl())
    if parts.username:
        pair = f'{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or "")}'
        request.add_header('Authorization', 'Basic ' + base64.b64encode(pair.encode()).decode())
    known = ssl.create_default_context(cafile=os.environ.get('PIP_CERT') or os.environ.get('REQUESTS_CA_BUNDLE') or None)
    with urllib.request.urlopen(request, timeout=60, context=known if parts.scheme == 'https' else None) as answer:
        return answer.read()


def wheel_from(address, file):
    page = f'{address.rstrip("/")}/pip/'
    links = re.findall(r'href="([^"]+)"', fetch(page).decode())
    found = [link for link in links if urllib.parse.unquote(urllib.parse.urlsplit(link).path).endswith('/' + file)]
    if not found:
        sys.exit(f'404: the package index at {urllib.parse.urlsplit(page).netloc.rpartition("@")[2]} has no {file}')
    return fetch(urllib.parse.urljoin(page, found[0]))


def main(file, checksum, folder=None):
    if folder:
        with open(os.path.join(folder, file), 'rb') as wheel:
            content = wheel.read()
    else:
        content = wheel_from(index(), file)
    if hashlib.sha256(content).hexdigest() != checksum:
        sys.exit(f'{file} has another checksum than expected: use an index that mirrors PyPI unchanged')
    with tempfile.TemporaryDirectory() as place:
        wheel = os.path.join(place, file)
        with open(wheel, 'wb') as out:
            out.write(content)
        return subprocess.call([sys.executable, os.path.join(wheel, 'pip'), 'install', '--no-index', '--no-compile', wheel])


if __name__ == '__main__':
    try:
        sys.exit(main(*sys.argv[1:]))
    except OSError as error:
        sys.exit(f'{type(error).__name__}: {error}')
