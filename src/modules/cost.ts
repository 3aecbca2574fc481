/** What making a symcache cost, in milliseconds and bytes of sym text. A download and the conversion it feeds overlap. */
export interface Cost {
  download: number;
  downloadBytes: number;
  failedDownload: number;
  conversion: number;
  failedConversion: number;
  saving: number;
}

export function noCost(): Cost {
  return { download: 0, downloadBytes: 0, failedDownload: 0, conversion: 0, failedConversion: 0, saving: 0 };
}
