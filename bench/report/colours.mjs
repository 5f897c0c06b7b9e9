/** A colour for everybody, the same in every chart: the name of a custom property in style.css. */

const COLOURS = {
  callseal: 'own',
  'callseal-command': 'own',
  'node-crypto': 'amber',
  'aws-encryption-sdk': 'violet',
  openpgp: 'pink',
  'openssl-cms': 'blue',
  'openssl-cms-cbc': 'sky',
  'age-rsa': 'olive',
  age: 'brown',
  gpg: 'red',
  'callseal-records': 'own',
  'node-crypto-records': 'amber',
  'node-crypto-aad': 'olive',
  'aws-encryption-sdk-records': 'violet',
  'mongodb-client-encryption': 'pink',
};

export function colourOf(id) {
  return COLOURS[id] ?? 'limit';
}
