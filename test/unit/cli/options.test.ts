import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { helpText, knownFlags, parseCommandLine } from '../../../src/cli/options.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Config } from '../../../src/config/schema.ts'
import { ServerError } from '../../../src/errors.ts'

/** The words of a command line, which hold no blanks here. */
function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}

function configOf(line: string): Config {
  return loadConfig({ env: {}, overrides: parseCommandLine(words(line)).overrides })
}

function usageError(line: string): string {
  try {
    parseCommandLine(words(line))
  } catch (error) {
    assert.ok(error instanceof ServerError)
    assert.equal(error.exitStatus, 64)
    return error.message
  }
  return ''
}

describe('where to listen', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', ['127.0.0.1:11211']],
    ['-p 5', ['127.0.0.1:5']],
    ['-p5', ['127.0.0.1:5']],
    ['--port=5', ['127.0.0.1:5']],
    ['-p -1', ['127.0.0.1:0']],
    ['-l 0.0.0.0', ['0.0.0.0:11211']],
    ['-l 1.2.3.4,5.6.7.8:9 -p 5', ['1.2.3.4:5', '5.6.7.8:9']],
    ['-p 5 -l host -l other:7', ['host:5', 'other:7']],
    ['-l ::1,[::2],[::3]:7 -p 5', ['[::1]:5', '[::2]:5', '[::3]:7']],
    ['-l notls:1.2.3.4,proto[ascii]:[::1]:7 -p 5', ['notls:1.2.3.4:5', 'proto[ascii]:[::1]:7']],
    ['-s /run/cache.sock', ['unix:/run/cache.sock']],
    ['-s /run/cache.sock -p 0', ['unix:/run/cache.sock']],
    ['--bind :1 --bind [::1]:2,unix:/a', [':1', '[::1]:2', 'unix:/a']],
  ]
  for (const [line, bind] of cases) {
    it(`"${line}" is ${bind.join(' and ')}`, () => {
      assert.deepEqual(configOf(line).server.bind, bind)
    })
  }

  it('is a UNIX socket alone with -s, and -p and -l are warned about', () => {
    const { warnings } = parseCommandLine(words('-s /a -p 5 -l ::1'))
    assert.equal(warnings.length, 2)
    assert.match(warnings[0] ?? '', /-l has no effect/)
    assert.deepEqual(parseCommandLine(words('-s /a -p 0')).warnings, [])
  })

  for (const line of [
    '-p 0',
    '-p 65536',
    '-p -2',
    '-p http',
    '-l a,,b',
    '-l a:b',
    '-l notls:unix:/a',
    '--bind 127.0.0.1',
    '--bind :1 -p 5',
  ]) {
    it(`"${line}" is refused`, () => {
      assert.match(usageError(line), /^option (-p|-l|--bind): /)
    })
  }
})

describe("memcached's options", () => {
  it('mean what they mean there', () => {
    const { server, l1 } = configOf(
      '-a 770 -m 128 -c 10 -I 2m -M -R 30 -b 40 -P /run/x.pid -u nobody -U 0 -o idle_timeout=60 -B binary',
    )
    assert.equal(server.unixMode, 0o770)
    assert.equal(server.protocol, 'binary')
    assert.equal(l1.memoryBytesMax, 128 * 1024 ** 2)
    assert.equal(server.connectionsMax, 10)
    assert.equal(server.itemBytesMax, 2 * 1024 ** 2)
    assert.equal(l1.evictions, false)
    assert.equal(server.commandsPerTurnMax, 30)
    assert.equal(server.backlog, 40)
    assert.equal(server.pidFile, '/run/x.pid')
    assert.equal(server.user, 'nobody')
    assert.equal(server.idleTimeoutMs, 60_000)
  })

  it('have the long names that they have there', () => {
    const { server, l1 } = configOf('--memory-limit=128 --conn-limit 10 --max-item-size=2m')
    assert.equal(l1.memoryBytesMax, 128 * 1024 ** 2)
    assert.equal(server.connectionsMax, 10)
    assert.equal(server.itemBytesMax, 2 * 1024 ** 2)
  })

  it('may be bundled, with a value at the end', () => {
    const commandLine = parseCommandLine(words('-kMvm128'))
    assert.deepEqual(
      commandLine.overrides.map(({ key, value }) => [key, value]),
      [
        ['l1.evictions', 'false'],
        ['l1.max_memory', '128MB'],
        ['logging.level', 'debug'],
      ],
    )
    assert.equal(commandLine.warnings.length, 1)
  })

  it('-v is debug, -vv and more are trace, and --log-level overrules them', () => {
    assert.equal(configOf('').logging.level, 'info')
    assert.equal(configOf('-v').logging.level, 'debug')
    assert.equal(configOf('-vv').logging.level, 'trace')
    assert.equal(configOf('-v -v').logging.level, 'trace')
    assert.equal(configOf('-vvv').logging.level, 'trace')
    assert.equal(configOf('--log-level warn -vv').logging.level, 'warn')
  })

  it('that mean nothing here are accepted with one warning each', () => {
    const line = '-t 4 -k -r -L -C -f 1.1 -n 64 -o modern,lru_crawler -o hashpower=20 -o modern'
    const { overrides, warnings } = parseCommandLine(words(line))
    assert.deepEqual(overrides, [])
    assert.equal(warnings.length, 10)
    for (const warning of warnings) assert.match(warning, /^option -.* has no effect/)
  })

  it('-t 1 and -U 0 ask for what is the case', () => {
    assert.deepEqual(parseCommandLine(words('-t 1 -U 0')).warnings, [])
  })

  it('that say what clients may do set that', () => {
    const { commands, auth, server } = configOf('-F -X -W -A -Y /etc/users')
    assert.deepEqual(commands, {
      flushEnabled: false,
      dumpEnabled: false,
      watchEnabled: false,
      shutdownEnabled: true,
      detail: false,
      prefixDelimiter: ':',
    })
    assert.equal(auth.file, '/etc/users')
    assert.equal(server.protocol, 'auto')
    const defaults = [true, true, true, false, false, ':']
    assert.deepEqual(Object.values(configOf('').commands), defaults)
    const counting = configOf('-D |').commands
    assert.deepEqual([counting.detail, counting.prefixDelimiter], [true, '|'])
    assert.match(usageError('-D ab'), /^option -D: ab is not one character/)
  })

  it('-S is the binary protocol alone, and logging in', () => {
    for (const line of ['-S', '-S -B binary', '-B binary -S']) {
      const { auth, server } = configOf(line)
      assert.deepEqual([auth.required, server.protocol], [true, 'binary'], line)
    }
    for (const line of ['-S -B auto', '-B ascii -S']) {
      assert.match(usageError(line), /^option -S: goes with -B binary only/)
    }
  })

  it('-Z and the ssl_ names of -o are the section [tls]', () => {
    const names =
      'ssl_chain_cert=/c,ssl_key=/k,ssl_ca_cert=/a,ssl_ciphers=X:Y,ssl_session_cache,ssl_keyformat=PEM'
    const { tls } = configOf(`-Z -o ${names},ssl_verify_mode=2,ssl_min_version=3`)
    assert.deepEqual(tls, {
      enabled: true,
      certFile: '/c',
      keyFile: '/k',
      caFile: '/a',
      verify: 'require',
      versionMin: '1.3',
      ciphers: 'X:Y',
      sessionCache: true,
      handshakeTimeoutMs: 10_000,
    })
    const modes = ['0', '1', '2', '3'].map(
      (mode) =>
        configOf(`-Z -o ssl_chain_cert=/c,ssl_ca_cert=/a,ssl_verify_mode=${mode}`).tls.verify,
    )
    assert.deepEqual(modes, ['none', 'request', 'require', 'request'])
    const versions = ['0', '1', '2', '3', 'tlsv1.1'].map(
      (version) => configOf(`-Z -o ssl_chain_cert=/c,ssl_min_version=${version}`).tls.versionMin,
    )
    assert.deepEqual(versions, ['1.0', '1.1', '1.2', '1.3', '1.1'])
  })

  it('-o ext_path is the directory and the size of the disk tier', () => {
    const { l2 } = configOf('--no-l2 -o ext_path=/data/store:64m,ext_item_size=100,ext_low_ttl=30')
    assert.deepEqual(
      [l2.enabled, l2.dataDir, l2.diskBytesMax, l2.itemBytesMin, l2.ttlMinMs],
      [true, '/data/store', 64 * 1024 ** 2, 100, 30_000],
    )
    assert.equal(configOf('-o ext_path=/a:2T').l2.diskBytesMax, 2 * 1024 ** 4)
    const several = parseCommandLine(words('-o ext_path=/a:1g,ext_path=/b:1g:compact'))
    assert.equal(several.warnings.length, 1)
    assert.equal(several.overrides.filter(({ key }) => key === 'l2.data_dir').length, 1)
  })

  it('-o maxconns_fast refuses clients, and no_maxconns_fast lets them wait', () => {
    assert.equal(configOf('').server.whenFull, 'refuse')
    assert.equal(configOf('-o no_maxconns_fast').server.whenFull, 'wait')
    assert.equal(configOf('-o no_maxconns_fast,maxconns_fast').server.whenFull, 'refuse')
  })

  it('-d asks for a daemon, and -e is served by the disk tier', () => {
    assert.equal(parseCommandLine(['-d']).daemon, true)
    assert.equal(parseCommandLine([]).daemon, false)
    assert.match(parseCommandLine(['-e', '/mnt/file']).warnings[0] ?? '', /disk tier/)
  })

  for (const [line, name] of [
    ['-U 11211', '-U'],
    ['-o proxy_config=/a', '-o'],
    ['-o ssl_keyformat=DER', '-o'],
    ['-o ssl_verify_mode=4', '-o ssl_verify_mode'],
    ['-o ssl_min_version=', '-o ssl_min_version'],
    ['-o ssl_chain_cert', '-o ssl_chain_cert'],
    ['-o ssl_session_cache=no', '-o ssl_session_cache'],
    ['-o ext_path=/a', '-o ext_path'],
    ['-o ext_path=/a:10', '-o ext_path'],
    ['-o ext_item_size=1k', '-o ext_item_size'],
    ['--auth-file=', '-Y'],
  ] as const) {
    it(`"${line}" is refused, because ignoring it would mislead`, () => {
      assert.ok(usageError(line).startsWith(`option ${name}: `), usageError(line))
    })
  }

  it('of memcached 1.6 are all there, with a name of each kind after -o', () => {
    const letters = 'pUsaAldrumMckvhiVPfnLDtRCbBISFXWYeZoN'
    const flags = knownFlags()
    for (const letter of letters) assert.ok(flags.includes(`-${letter}`), letter)
    const long =
      'port udp-port unix-socket unix-mask enable-shutdown listen daemon enable-coredumps user memory-limit disable-evictions conn-limit lock-memory verbose help license version pidfile slab-growth-factor slab-min-size enable-largepages threads max-reqs-per-event disable-cas listen-backlog protocol max-item-size enable-sasl disable-flush-all disable-dumping disable-watch auth-file memory-file enable-ssl extended napi_ids'
    for (const name of long.split(' ')) assert.ok(flags.includes(`--${name}`), name)
    for (const name of [
      'ext_threads=1',
      'ssl_wbuf_size=16',
      'ssl_kernel_tls',
      'sock_cookie_id=1',
    ]) {
      assert.equal(parseCommandLine(['-o', name]).warnings.length, 1, name)
    }
  })
})

describe('values that look like options', () => {
  for (const flag of ['-c', '-p', '-U', '-m', '-R', '-b', '-t', '-n', '--max-entries']) {
    it(`"${flag} -1" gives ${flag} the value -1`, () => {
      const message = usageError(`${flag} -1`)
      if (flag === '-p') assert.equal(message, '')
      else assert.match(message, new RegExp(`^option ${flag}: ['"]?-1`))
    })
  }

  it('are options where no value is due', () => {
    assert.equal(usageError('-1'), "unknown option '-1'")
    assert.equal(usageError('-M -1'), "unknown option '-1'")
  })
})

describe('a wrong command line', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['-c 0', /^option -c: "0" is not a whole number of connections from 1 /],
    ['-t 0', /^option -t: '0' is not a whole number of at least 1/],
    ['-m 0', /^option -m: /],
    ['-m 64m', /^option -m: '64m' /],
    ['-I 1000', /^option -I: "1000" is not a size from 1KB to 1GB/],
    ['-I 2g', /^option -I: "2g" /],
    ['-a 999', /^option -a: /],
    ['-f 1', /^option -f: /],
    ['-B http', /^option -B: "http" is not one of auto, ascii, binary/],
    ['-o', /^option '-o, .*argument missing/],
    ['-o idle_timeout', /^option -o idle_timeout: '' is not a value of it/],
    ['-o idle_timout=5', /^option -o: unknown name 'idle_timout'; did you mean idle_timeout\?/],
    ['-o modern,', /^option -o: unknown name ''/],
    ['--eviction mru', /^option --eviction: "mru" is not one of hybrid, lru, lfu, fifo/],
    ['--log-level loud', /^option --log-level: /],
    ['--bnd :1', /^unknown option '--bnd'; did you mean --bind\?/],
    ['--max-entrys=5', /^unknown option '--max-entrys'; did you mean --max-entries\?/],
    ['-i 2m', /^$/],
    ['-vz', /^unknown option '-z'; did you mean -Z\?$/],
    ['stray', /^unexpected argument 'stray'$/],
    ['-v -- -m', /^unknown option '-m'/],
  ]
  for (const [line, message] of cases) {
    it(`"${line}" is told: ${message.source}`, () => {
      assert.match(usageError(line), message)
    })
  }
})

describe('what is asked for instead of a server', () => {
  it('is the last of --check-config and --print-config', () => {
    assert.equal(parseCommandLine([]).action, 'serve')
    assert.equal(parseCommandLine(['--check-config']).action, 'check-config')
    assert.equal(parseCommandLine(['--print-config', '--config', 'a.toml']).action, 'print-config')
    assert.equal(parseCommandLine(['--config', 'a.toml']).configFile, 'a.toml')
  })

  it('is help or the version before all else', () => {
    for (const line of [
      '-h',
      '--help',
      '-vh',
      '-h --check-config',
      '--check-config -h',
      '-h -p 0',
    ]) {
      assert.equal(parseCommandLine(words(line)).action, 'help', line)
    }
    assert.equal(parseCommandLine(['-V']).action, 'version')
    assert.equal(parseCommandLine(['--version']).action, 'version')
  })
})

describe('the help', () => {
  it('lists our options and those of memcached', () => {
    const help = helpText()
    for (const flag of [
      '--bind',
      '--config',
      '--max-entries',
      '-p,',
      '-m,',
      '-t,',
      'unix-socket',
    ]) {
      assert.ok(help.includes(flag), flag)
    }
  })

  it('writes the words by which a test suite tells that a feature is there, and no others', () => {
    for (const word of ['sasl', 'enable-ssl']) assert.ok(helpText().includes(word), word)
    const absent = ['ext_path', 'proxy_config', 'no_drop_privileges']
    for (const word of absent) assert.ok(!helpText().includes(word), word)
  })
})
