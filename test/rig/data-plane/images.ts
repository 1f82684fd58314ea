// What stands in for pulling and unpacking an image: the programs that the images hold, as built on this machine. This table is all that
// differs between a Pod here and on a real node, beside the root file system and limits, which are this machine's.

import { join } from 'node:path';

export interface Program {
  /** Files of this machine where the image has its own: path in the container → path here. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
}

export interface Programs {
  readonly envoyGateway: string;
  readonly envoy: string;
  /** What `certway infra --crd-dir` reads, at /crds in Certway's image. */
  readonly crdDir: string;
}

const checkout = join(import.meta.dirname, '../../..');

/** The image's program; throws with the image's name where the table has none. */
export function programOf(image: string, { envoyGateway, envoy, crdDir }: Programs): Program {
  const [name = ''] = (image.split('/').at(-1) ?? '').split(/[:@]/);
  switch (name) {
    // The shutdown manager beside each proxy is the same program: its default image is the one of a development build.
    case 'gateway':
    case 'gateway-dev':
      return inPath('envoy-gateway', envoyGateway);
    case 'envoy':
      return inPath('envoy', envoy);
    case 'certway':
      return ours('src/main.ts', { '/crds': crdDir });
    case 'echo-basic':
      return ours('test/rig/data-plane/echo.ts');
    default:
      throw new Error(`no program stands for the image ${image}: see ${import.meta.filename}`);
  }
}

function inPath(name: string, binary: string): Program {
  const path = `/usr/local/bin/${name}`;
  return { files: { [path]: binary }, entrypoint: [path] };
}

function ours(file: string, files: Program['files'] = {}): Program {
  return { files: { ...files, [checkout]: checkout }, entrypoint: [process.execPath, join(checkout, file)] };
}
