import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NO_IMAGES_SOURCE, UI_HEADER } from './peer-stubs.ts'

const run = promisify(execFile)

export interface BuiltPeers {
  readonly server: string
  readonly batched: string
  /** Folder of the engine's own shared libraries; also where the kernels lie. */
  readonly libraries: string
}

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
/** The whole source of llama.cpp at the version of the prebuilt libraries, as a git bundle. */
const BUNDLE = join(MODULES, 'node-llama-cpp', 'llama', 'gitRelease.bundle')
const CACHE = join(MODULES, '.cache', 'medley', 'llama-peer')
const DEFINES = ['NDEBUG', 'GGML_BACKEND_DL', 'GGML_SHARED', 'LLAMA_SHARED', 'LLAMA_SUBPROCESS']
const INCLUDES = ['include', 'ggml/include', 'ggml/src', 'common', 'vendor', 'tools/mtmd', 'tools/server', '.']
const NICE = 10
/** Compilers are silent about success and long about failure. */
const BUFFER_BYTES = 16 * 1024 * 1024

/**
 * Builds llama-server and llama-batched-bench against the shared libraries that the engine loads, so that any
 * difference is the program around the kernels. Takes minutes the first time; what is there already is kept.
 *
 * @returns null without g++, git, or prebuilt libraries of this platform.
 */
export async function buildPeers(say: (line: string) => void): Promise<BuiltPeers | null> {
  const libraries = join(MODULES, '@node-llama-cpp', `linux-${process.arch}`, 'bins', `linux-${process.arch}`)
  if (process.platform !== 'linux' || !existsSync(BUNDLE) || !existsSync(libraries)) return null
  const tools = await Promise.all([run('g++', ['--version']), run('git', ['--version'])]).catch(() => null)
  if (tools === null) return null
  // Another version of the package is another source and other libraries.
  const version = createHash('sha256')
    .update(await readFile(BUNDLE))
    .digest('hex')
    .slice(0, 12)
  const home = join(CACHE, version)
  const compiler = await prepare(home, libraries)
  const { batched, server } = await sourcesOf(join(home, 'source'))
  return {
    libraries,
    batched: await compiler.program('llama-batched-bench', batched, [], say),
    server: await compiler.program(
      'llama-server',
      [...server, join(home, 'include', 'no-images.cpp')],
      // What else of the library for images is named, is never called.
      ['-no-pie', '-Wl,--unresolved-symbols=ignore-all'],
      say,
    ),
  }
}

async function sourcesOf(source: string): Promise<{ batched: string[]; server: string[] }> {
  const server = await readdir(join(source, 'tools', 'server'))
  return {
    batched: ['batched-bench.cpp', 'main.cpp'].map((name) => join(source, 'tools', 'batched-bench', name)),
    server: [
      ...server.filter((name) => name.endsWith('.cpp')).map((name) => join(source, 'tools', 'server', name)),
      join(source, 'vendor', 'cpp-httplib', 'httplib.cpp'),
    ],
  }
}

async function prepare(home: string, libraries: string) {
  const source = join(home, 'source')
  const include = join(home, 'include')
  await mkdir(include, { recursive: true })
  if (!existsSync(source)) {
    const partial = `${source}.${process.pid}.tmp`
    await run('git', ['clone', '--quiet', BUNDLE, partial])
    await rename(partial, source).catch(() => rm(partial, { recursive: true }))
  }
  await writeFile(join(include, 'ui.h'), UI_HEADER)
  await writeFile(join(include, 'no-images.cpp'), NO_IMAGES_SOURCE)
  const flags = [
    ...['-std=c++17', '-O2', '-fPIC', '-w'],
    ...DEFINES.map((name) => `-D${name}`),
    ...INCLUDES.map((path) => `-I${join(source, path)}`),
    `-I${include}`,
  ]
  const libs = await linkedLibraries(libraries)

  const object = async (program: string, file: string, say: (line: string) => void): Promise<string> => {
    const target = join(home, 'objects', program, `${basename(file, '.cpp')}.o`)
    if (existsSync(target)) return target
    say(`compiling ${basename(file)} for ${program}`)
    await mkdir(join(home, 'objects', program), { recursive: true })
    await compile([...flags, '-c', file], target)
    return target
  }
  return {
    async program(name: string, files: readonly string[], extra: readonly string[], say: (line: string) => void) {
      const target = join(home, name)
      if (existsSync(target)) return target
      const objects: string[] = []
      // One at a time: the machine is somebody's.
      for (const file of files) objects.push(await object(name, file, say))
      await compile([...objects, ...libs, ...extra], target)
      return target
    },
  }
}

async function linkedLibraries(libraries: string): Promise<string[]> {
  const wanted = /^lib(llama-common|llama|ggml|ggml-base)(\.v[\d.]+)?\.so$/
  const names = (await readdir(libraries)).filter((name) => wanted.test(name))
  return [`-L${libraries}`, ...names.map((name) => `-l:${name}`), '-lpthread', '-ldl', `-Wl,-rpath,${libraries}`]
}

/** Under a temporary name first: what was broken off is not taken for done. */
async function compile(args: readonly string[], target: string): Promise<void> {
  const partial = `${target}.${process.pid}.tmp`
  await run('nice', ['-n', String(NICE), 'g++', ...args, '-o', partial], { maxBuffer: BUFFER_BYTES })
  await rename(partial, target)
}
