"""Lets papermill set the parameters of Graft's notebooks: `papermill in.ipynb out.ipynb -p epochs 3`.

papermill has no entry point for languages, but it loads those for engines whenever it is imported: this module is one, and registers
the language on its way.
"""
import json
import math
import re

from papermill.engines import NBClientEngine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators


class TypeScriptTranslator(Translator):
    """Python values as TypeScript; `let`, so that a number's type is `number` and a cell may change it."""

    @classmethod
    def translate_none(cls, val):
        return 'null'

    @classmethod
    def translate_escaped_str(cls, str_val):
        return json.dumps(str(str_val), ensure_ascii=False)

    @classmethod
    def translate_float(cls, val):
        if math.isfinite(val):
            return repr(val)
        return 'NaN' if math.isnan(val) else 'Infinity' if val > 0 else '-Infinity'

    @classmethod
    def translate_dict(cls, val):
        inner = ', '.join(f'{cls.translate_escaped_str(key)}: {cls.translate(one)}' for key, one in val.items())
        return f'{{ {inner} }}' if inner else '{}'

    @classmethod
    def translate_list(cls, val):
        return f"[{', '.join(map(cls.translate, val))}]"

    @classmethod
    def comment(cls, cmt_str):
        return f'// {cmt_str}'

    @classmethod
    def assign(cls, name, str_val):
        return f'let {name} = {str_val}'

    @classmethod
    def inspect(cls, parameters_cell):
        """The parameters that `papermill --help-notebook` lists: one a line, with its type, default and comment."""
        line = re.compile(r'^\s*(?:const|let|var)\s+([\w$]+)\s*(?::\s*([^=]+?))?\s*=\s*(.+?)\s*(?://\s*(.*))?$', re.M)
        return [Parameter(name, kind or 'None', default.rstrip(';'), comment or '')
                for name, kind, default, comment in line.findall(parameters_cell.source)]


papermill_translators.register('typescript', TypeScriptTranslator)
engine = NBClientEngine
