"""Makes the two small fonts beside this file from Inter (npm package @expo-google-fonts/inter, SIL Open Font License 1.1).

python subset.py FOLDER_OF_THE_UNPACKED_PACKAGE

Kept are Latin, Greek and Cyrillic letters, punctuation, arrows and the shapes the figures use. Digits are replaced by Inter's tabular ones, because the
renderer applies no OpenType features and columns of numbers should align.
"""
import sys
from pathlib import Path
from fontTools import subset
from fontTools.ttLib import TTFont

RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x45F), (0x2010, 0x2027), (0x2030, 0x203A), (0x2070, 0x209C), (0x20AC, 0x20AC),
          (0x2190, 0x2199), (0x2200, 0x22FF), (0x25A0, 0x25FF), (0x2605, 0x2606), (0x2713, 0x2717), (0xFFFD, 0xFFFD)]
here = Path(__file__).parent

for source, name in [('400Regular/Inter_400Regular.ttf', 'Inter-Regular.ttf'), ('600SemiBold/Inter_600SemiBold.ttf', 'Inter-SemiBold.ttf')]:
    font = TTFont(Path(sys.argv[1]) / source)
    tabular = {}
    for record in font['GSUB'].table.FeatureList.FeatureRecord:
        if record.FeatureTag == 'tnum':
            for index in record.Feature.LookupListIndex:
                for table in font['GSUB'].table.LookupList.Lookup[index].SubTable:
                    tabular |= getattr(table, 'ExtSubTable', table).mapping
    for table in font['cmap'].tables:
        for digit in range(0x30, 0x3A):
            if digit in table.cmap:
                table.cmap[digit] = tabular.get(table.cmap[digit], table.cmap[digit])
    options = subset.Options(layout_features=['kern', 'mark', 'ccmp'], hinting=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
    cutter.subset(font)
    font.save(here / name)
    print(name, (here / name).stat().st_size)
