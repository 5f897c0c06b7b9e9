/** Interchange with partners who have plain OpenSSL: call files ↔ CMS AuthEnvelopedData (RFC 5083, RFC 5084). */

export { type ExportCmsOptions, exportCms } from './export.ts';
export { type ImportCmsOptions, importCms } from './import.ts';
export type { CmsResult, ExportCmsResult } from './result.ts';
