"""The typefaces behind the bundled images: which Debian package each comes from, its licence, and which set it draws.

A typeface draws one set only: the digits of the lesson are in typefaces that the trunk never saw, and the digits of the
test half are in typefaces that the training half does not have.
"""
import os
import subprocess

GPL_FE = 'GPL-2+ with font exception'
OFL = 'OFL-1.1'

# set: (Debian package, licence, font files)
FONTS = {
  'letters': [
    ('fonts-adf-accanthis', GPL_FE, ['AccanthisADFStd-Regular.otf', 'AccanthisADFStd-Bold.otf', 'AccanthisADFStd-Italic.otf']),
    ('fonts-adf-baskervald', GPL_FE, ['BaskervaldADFStd.otf', 'BaskervaldADFStd-Heavy.otf', 'BaskervaldADFStd-Italic.otf']),
    ('fonts-adf-berenis', GPL_FE, ['BerenisADFPro-Regular.otf', 'BerenisADFPro-Bold.otf', 'BerenisADFPro-Italic.otf']),
    ('fonts-adf-gillius', GPL_FE, ['GilliusADF-Regular.otf', 'GilliusADF-Bold.otf', 'GilliusADF-BoldCond.otf']),
    ('fonts-adf-ikarius', GPL_FE, ['IkariusADFStd-Regular.otf', 'IkariusADFStd-Bold.otf', 'IkariusADFStd-Italic.otf']),
    ('fonts-adf-irianis', GPL_FE, ['IrianisADFStd-Regular.otf', 'IrianisADFStd-Bold.otf']),
    ('fonts-adf-libris', GPL_FE, ['LibrisADFStd-Regular.otf', 'LibrisADFStd-Bold.otf']),
    ('fonts-adf-mekanus', GPL_FE, ['MekanusADFStd-Regular.otf', 'MekanusADFStd-Bold.otf']),
    ('fonts-adf-oldania', GPL_FE, ['OldaniaADFStd-Regular.otf', 'OldaniaADFStd-Bold.otf']),
    ('fonts-adf-romande', GPL_FE, ['RomandeADFStd-Regular.otf', 'RomandeADFStd-DemiBold.otf', 'RomandeADFStd-Italic.otf']),
    ('fonts-adf-solothurn', GPL_FE, ['Solothurn-Regular.otf', 'Solothurn-Bold.otf']),
    ('fonts-adf-switzera', GPL_FE, ['SwitzeraADF-Regular.otf', 'SwitzeraADF-ExtraBold.otf', 'SwitzeraADF-BoldCond.otf']),
    ('fonts-adf-tribun', GPL_FE, ['TribunADFStd-Regular.otf', 'TribunADFStd-ExtraBold.otf', 'TribunADFStd-BoldCond.otf']),
    ('fonts-adf-universalis', GPL_FE, ['UniversalisADFStd-Regular.otf', 'UniversalisADFStd-Bold.otf']),
    ('fonts-averia-serif-gwf', OFL, ['AveriaSerifGWF-Regular.ttf', 'AveriaSerifGWF-Bold.ttf', 'AveriaSerifGWF-Light.ttf']),
    ('fonts-breip', 'OFL-1.0', ['Breip.ttf']),
    ('fonts-bwht', OFL, ['BecauseWeBuild-Regular.otf', 'BecauseWeConnect-Regular.otf', 'BecauseWeCreate-Regular.otf',
                         'BecauseWeLearn-Regular.otf', 'BecauseWeMentor-Regular.otf', 'BecauseWeOrganize-Regular.otf']),
    ('fonts-cabin', OFL, ['Cabin-Regular.otf', 'Cabin-Bold.otf', 'Cabin-Italic.otf']),
    ('fonts-cantarell', OFL, ['Cantarell-Regular.otf', 'Cantarell-ExtraBold.otf', 'Cantarell-Light.otf']),
    ('fonts-comfortaa', OFL, ['Comfortaa-Regular.ttf', 'Comfortaa-Bold.ttf']),
    ('fonts-comic-neue', OFL, ['ComicNeue-Regular.otf', 'ComicNeue-Bold.otf']),
    ('fonts-courier-prime', OFL, ['Courier Prime.otf', 'Courier Prime Bold.otf']),
    ('fonts-crosextra-caladea', OFL, ['Caladea-Regular.ttf', 'Caladea-Bold.ttf', 'Caladea-Italic.ttf']),
    ('fonts-dancingscript', OFL, ['DancingScript-Regular.otf', 'DancingScript-Bold.otf']),
    ('fonts-dejavu-core', 'Bitstream Vera', ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSerif.ttf', 'DejaVuSerif-Bold.ttf',
                                             'DejaVuSansMono.ttf']),
    ('fonts-dkg-handwriting', OFL, ['dkg.ttf', 'dkgBd.ttf']),
    ('fonts-dosis', OFL, ['Dosis-Medium.otf', 'Dosis-ExtraBold.otf', 'Dosis-Light.otf']),
    ('fonts-ebgaramond', OFL, ['EBGaramond12-Regular.otf', 'EBGaramond12-Bold.otf', 'EBGaramond12-Italic.otf']),
    ('fonts-essays1743', OFL, ['Essays1743.ttf', 'Essays1743-Bold.ttf']),
    ('fonts-fanwood', 'MIT', ['Fanwood.otf', 'Fanwood-Italic.otf']),
    ('fonts-firacode', OFL, ['FiraCode-Regular.ttf', 'FiraCode-Bold.ttf']),
    ('fonts-freefont-ttf', 'GPL-3+ with font exception', [
      'FreeSans.ttf', 'FreeSansBold.ttf', 'FreeSerif.ttf', 'FreeSerifBold.ttf', 'FreeMono.ttf', 'FreeMonoBold.ttf']),
    ('fonts-georgewilliams', OFL, ['CaslonRoman.ttf', 'Caslon-Black.ttf', 'Cupola.ttf']),
    ('fonts-gfs-neohellenic', OFL, ['GFSNeohellenic.otf', 'GFSNeohellenicBold.otf']),
    ('fonts-go', 'BSD-3-Clause', ['Go-Regular.ttf', 'Go-Bold.ttf', 'Go-Mono.ttf']),
    ('fonts-goudybookletter', 'public domain', ['GoudyBookletter1911.otf']),
    ('fonts-humor-sans', OFL, ['Humor-Sans.ttf']),
    ('fonts-inconsolata', 'OFL-1.0', ['Inconsolata.otf']),
    ('fonts-inter', OFL, ['Inter-Regular.otf', 'Inter-Black.otf', 'Inter-Light.otf']),
    ('fonts-jetbrains-mono', 'Apache-2.0', ['JetBrainsMono-Regular.ttf', 'JetBrainsMono-ExtraBold.ttf']),
    ('fonts-junction', OFL, ['Junction.otf']),
    ('fonts-jura', OFL, ['Jura-Regular.otf', 'Jura-Bold.otf']),
    ('fonts-kaushanscript', OFL, ['KaushanScript-Regular.otf']),
    ('fonts-kristi', OFL, ['Kristi.ttf']),
    ('fonts-lato', OFL, ['Lato-Regular.ttf', 'Lato-Black.ttf', 'Lato-Light.ttf', 'Lato-Italic.ttf']),
    ('fonts-league-mono', OFL, ['LeagueMono-ExtendedRegular.otf', 'LeagueMono-CondensedBold.otf']),
    ('fonts-league-spartan', OFL, ['LeagueSpartan-Regular.otf', 'LeagueSpartan-Black.otf']),
    ('fonts-leckerli-one', OFL, ['LeckerliOne-Regular.ttf']),
    ('fonts-liberation2', OFL, ['LiberationSans-Regular.ttf', 'LiberationSans-BoldItalic.ttf', 'LiberationSerif-Regular.ttf',
                                'LiberationSerif-Bold.ttf', 'LiberationMono-Regular.ttf']),
    ('fonts-lindenhill', 'MIT', ['LindenHill.otf', 'LindenHill-Italic.otf']),
    ('fonts-linuxlibertine', OFL, ['LinLibertine_R.otf', 'LinLibertine_RB.otf', 'LinLibertine_RI.otf', 'LinBiolinum_R.otf']),
    ('fonts-lobster', OFL, ['lobster.otf']),
    ('fonts-lobstertwo', OFL, ['LobsterTwo-Regular.otf', 'LobsterTwo-Bold.otf']),
    ('fonts-manrope', OFL, ['Manrope-Regular.ttf', 'Manrope-ExtraBold.ttf']),
    ('fonts-national-park', OFL, ['NationalPark-Regular.otf', 'NationalPark-Heavy.otf']),
    ('fonts-oldstandard', 'OFL-1.0', ['OldStandard-Regular.ttf', 'OldStandard-Bold.ttf', 'OldStandard-Italic.ttf']),
    ('fonts-open-sans', 'Apache-2.0', [
      'OpenSans-Regular.ttf', 'OpenSans-ExtraBold.ttf', 'OpenSans-CondBold.ttf', 'OpenSans-Italic.ttf']),
    ('fonts-opendin', OFL, ['OSP-DIN.ttf']),
    ('fonts-play', OFL, ['Play-Regular.ttf', 'Play-Bold.ttf']),
    ('fonts-quicksand', OFL, ['Quicksand-Regular.ttf', 'Quicksand-Bold.ttf']),
    ('fonts-reggae', OFL, ['ReggaeOne-Regular.ttf']),
    ('fonts-roboto-slab', 'Apache-2.0', ['RobotoSlab-Regular.otf', 'RobotoSlab-Bold.otf']),
    ('fonts-roboto-unhinted', 'Apache-2.0', ['Roboto-Regular.ttf', 'Roboto-Black.ttf', 'RobotoCondensed-Bold.ttf']),
    ('fonts-rocknroll', OFL, ['RocknRollOne-Regular.ttf']),
    ('fonts-routed-gothic', OFL, ['routed-gothic.ttf', 'routed-gothic-wide.ttf']),
    ('fonts-sil-charis', OFL, ['CharisSIL-Regular.ttf', 'CharisSIL-Bold.ttf', 'CharisSIL-Italic.ttf']),
    ('fonts-sil-gentium', OFL, ['Gentium-R.ttf', 'Gentium-I.ttf']),
    ('fonts-sjfonts', GPL_FE, ['SteveHand.ttf', 'Delphine.ttf']),
    ('fonts-sora', OFL, ['Sora-Regular.otf', 'Sora-ExtraBold.otf']),
    ('fonts-tiresias', 'GPL-3+ with font exception', ['tiresias_infofont.ttf', 'tiresias_infofont_bold.ttf']),
    ('fonts-tomsontalks', OFL, ['TomsonTalks.ttf']),
    ('fonts-ubuntu-title', 'OFL-1.1 and GPL-2 with font exception', ['Ubuntu-Title.ttf']),
    ('fonts-vollkorn', OFL, ['Vollkorn-Regular.ttf', 'Vollkorn-Black.ttf', 'Vollkorn-Italic.ttf']),
    ('fonts-yanone-kaffeesatz', OFL, ['YanoneKaffeesatz-Regular.otf', 'YanoneKaffeesatz-Bold.otf']),
    ('fonts-yrsa-rasa', OFL, ['Yrsa-Regular.ttf', 'Yrsa-Bold.ttf']),
  ],
  'digits-train': [
    ('fonts-allerta', OFL, ['allerta_medium.otf']),
    ('fonts-bebas-neue', OFL, ['BebasNeue-Bold.otf']),
    ('fonts-cardo', OFL, ['Cardo104s.ttf']),
    ('fonts-century-catalogue', 'OFL-1.0', ['Century-Catalogue.ttf']),
    ('fonts-cherrybomb', OFL, ['CherryBomb-Regular.otf']),
    ('fonts-clear-sans', 'Apache-2.0', ['ClearSans-Bold.ttf']),
    ('fonts-compagnon', OFL, ['Compagnon-Medium.otf']),
    ('fonts-eurofurence', OFL, ['eurof75.ttf']),
    ('fonts-fantasque-sans', OFL, ['FantasqueSansMono-Bold.ttf']),
    ('fonts-karla', OFL, ['Karla-Bold.otf']),
    ('fonts-klee', OFL, ['KleeOne-SemiBold.ttf']),
    ('fonts-lemonada', OFL, ['Lemonada-SemiBold.otf']),
    ('fonts-lxgw-wenkai', OFL, ['LXGWWenKai-Regular.ttf']),
    ('fonts-monofur', OFL, ['monof55.ttf']),
    ('fonts-quattrocento', OFL, ['Quattrocento-Regular.otf']),
    ('fonts-roadgeek', 'MIT', ['RG2014D.ttf']),
    ('fonts-sil-andika', OFL, ['Andika-Regular.ttf']),
    ('fonts-smc-chilanka', OFL, ['Chilanka-Regular.otf']),
    ('fonts-smiley-sans', OFL, ['SmileySans-Oblique.ttf']),
    ('fonts-stix', OFL, ['STIXGeneral-Bold.otf']),
  ],
  'digits-test': [
    ('fonts-agave', 'MIT', ['agave-b-autohinted.ttf']),
    ('fonts-b612', OFL, ['B612-Bold.otf']),
    ('fonts-cabinsketch', OFL, ['CabinSketch-Bold.ttf']),
    ('fonts-cmu', OFL, ['cmunbx.ttf']),
    ('fonts-ecolier-court', OFL, ['Ecolier-court.ttf']),
    ('fonts-gfs-artemisia', OFL, ['GFSArtemisiaBold.otf']),
    ('fonts-hermit', OFL, ['Hermit-bold.otf']),
    ('fonts-junicode', OFL, ['JunicodeTwoBeta-Bold.otf']),
    ('fonts-millimetre', OFL, ['millimetreA Bold 01.otf']),
    ('fonts-mononoki', OFL, ['mononoki-Bold.ttf']),
    ('fonts-mplus', OFL, ['Mplus1-Bold.otf']),
    ('fonts-ocr-b', 'public domain', ['OCRB.otf']),
    ('fonts-okolaks', OFL, ['okolaksBold.ttf']),
    ('fonts-osifont', 'GPL-3 with font exception', ['osifont.ttf']),
    ('fonts-oxygen', OFL, ['Oxygen-Sans-Bold.ttf']),
    ('fonts-prociono', 'public domain', ['Prociono.otf']),
    ('fonts-smc-manjari', OFL, ['Manjari-Bold.otf']),
    ('fonts-tlwg-purisa-ttf', GPL_FE, ['Purisa-Bold.ttf']),
    ('fonts-tuffy', 'public domain', ['Tuffy_Bold.ttf']),
    ('fonts-yusei-magic', OFL, ['YuseiMagic-Regular.ttf']),
  ],
}


def packages():
  """Every Debian package named above, sorted."""
  return sorted({package for fonts in FONTS.values() for package, _, _ in fonts})


def paths(name):
  """Font files of a set as [(package, path)], found where their Debian packages put them."""
  found, missing = [], []
  for package, _, files in FONTS[name]:
    listing = subprocess.run(['dpkg', '-L', package], capture_output=True, text=True).stdout.splitlines()
    by_name = {os.path.basename(line): line for line in listing}
    for file in files:
      if file in by_name:
        found.append((package, by_name[file]))
      else:
        missing.append(f'{file} of {package}')
  if missing:
    raise SystemExit('Missing fonts: ' + ', '.join(missing) + '\nInstall them with: apt-get install --no-install-recommends '
                     + ' '.join(packages()))
  return found


if __name__ == '__main__':
  print(*packages(), sep='\n')
