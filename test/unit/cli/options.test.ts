import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCommandLine, helpText } from '../../../src/cli/options.ts'
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
    '-l notls:1.2.3.4:5',
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
    const line =
      '-t 4 -k -r -L -C -f 1.1 -n 64 -D : -o modern,lru_crawler -o hashpower=20 -o modern'
    const { overrides, warnings } = parseCommandLine(words(line))
    assert.deepEqual(overrides, [])
    assert.equal(warnings.length, 11)
    for (const warning of warnings) assert.match(warning, /^option -.* has no effect/)
  })

  it('-t 1 and -U 0 ask for what is the case', () => {
    assert.deepEqual(parseCommandLine(words('-t 1 -U 0')).warnings, [])
  })

  for (const line of [
    '-S',
    '-Y /etc/users',
    '-Z',
    '-d',
    '-F',
    '-X',
    '-W',
    '-A',
    '-U 11211',
    '-o ssl_chain_cert=/a',
    '-o ext_path=/a:1g',
    '-o proxy_config=/a',
  ]) {
    it(`"${line}" is refused, because ignoring it would mislead`, () => {
      const flag = words(line)[0]
      assert.ok(usageError(line).startsWith(`option ${flag}: `))
    })
  }
})

describe('the options of the disk tier', () => {
  it('say where it lies and what it may take', () => {
    const { l2 } = configOf('--data-dir /var/cache/rat --max-disk-size 10g')
    assert.equal(l2.enabled, true)
    assert.equal(l2.dataDir, '/var/cache/rat')
    assert.equal(l2.diskBytesMax, 10 * 1024 ** 3)
  })

  it('say what is written when, and what stays in memory', () => {
    const line = '--write-policy=on-evict --promotion second-hit --warmup full'
    const { l2 } = configOf(line)
    assert.equal(l2.writePolicy, 'on-evict')
    assert.equal(l2.promotion, 'second-hit')
    assert.equal(l2.warmup, 'full')
  })

  it('turn it off', () => {
    assert.equal(configOf('').l2.enabled, true)
    assert.equal(configOf('--no-l2').l2.enabled, false)
    // What it would have been is no contradiction: a file may say one, the command line the other.
    assert.equal(configOf('--no-l2 --data-dir /a').l2.enabled, false)
  })

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['--max-disk-size 15m', /^option --max-disk-size: "15m" is not a size of at least 16MB/],
    ['--write-policy back', /^option --write-policy: "back" is not one of write-behind, /],
    ['--promotion twice', /^option --promotion: "twice" is not one of always, second-hit, never/],
    ['--warmup all', /^option --warmup: "all" is not one of none, recent, full/],
    ['--data-dir', /^option '--data-dir <path>' argument missing/],
    ['--no-l1', /^unknown option '--no-l1'; did you mean --no-l2\?/],
    ['--datadir /a', /^unknown option '--datadir'; did you mean --data-dir\?/],
  ]
  for (const [line, message] of wrong) {
    it(`"${line}" is told: ${message.source}`, () => {
      assert.match(usageError(line), message)
    })
  }

  it('are in the help', () => {
    const help = helpText()
    for (const flag of [
      '--data-dir',
      '--no-l2',
      '--max-disk-size',
      '--write-policy',
      '--promotion',
      '--warmup',
    ]) {
      assert.ok(help.includes(`  ${flag}`), flag)
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
    ['-o idle_timeout', /^option -o idle_timeout: '' is not a whole number/],
    ['-o idle_timout=5', /^option -o: unknown name 'idle_timout'; did you mean idle_timeout\?/],
    ['-o modern,', /^option -o: unknown name ''/],
    ['--eviction mru', /^option --eviction: "mru" is not one of hybrid, lru, lfu, fifo/],
    ['--log-level loud', /^option --log-level: /],
    ['--bnd :1', /^unknown option '--bnd'; did you mean --bind\?/],
    ['--max-entrys=5', /^unknown option '--max-entrys'; did you mean --max-entries\?/],
    ['-i 2m', /^unknown option '-i'; did you mean -I\?/],
    ['-vz', /^unknown option '-z'$/],
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

  it('does not write the words by which a test suite tells that a feature is there', () => {
    const features = ['sasl', 'enable-ssl', 'ext_path', 'proxy_config', 'no_drop_privileges']
    for (const word of features) assert.ok(!helpText().includes(word), word)
  })
})
