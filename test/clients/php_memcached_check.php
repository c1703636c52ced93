<?php
// PHP's memcached extension (Debian: php-cli php-memcached) against a running server: php FILE HOST PORT.
// libmemcached beneath it speaks text or the binary protocol; both are tried. Says so and ends well
// where the extension is not there.

if (!class_exists('Memcached')) {
    echo "left out: PHP has no memcached extension (apt-get install php-memcached)\n";
    exit(0);
}

$checks = 0;

function same($actual, $expected): void
{
    global $checks;
    $checks++;
    if ($actual !== $expected) {
        $shown = fn($value) => substr(var_export($value, true), 0, 200);
        echo "check $checks: {$shown($actual)} instead of {$shown($expected)}\n";
        exit(1);
    }
}

foreach ([false, true] as $binary) {
    $client = new Memcached();
    $client->setOption(Memcached::OPT_BINARY_PROTOCOL, $binary);
    $client->setOption(Memcached::OPT_TCP_NODELAY, true);
    $client->addServer($argv[1], (int) $argv[2]);
    same($client->flush(), true);
    same($client->get('k'), false);
    same($client->getResultCode(), Memcached::RES_NOTFOUND);
    foreach (["Grüße \r\n END", "\0\r\n\xff", 42, 1.5, true, ['a' => [1, null]], ''] as $value) {
        same($client->set('k', $value), true);
        same($client->get('k'), $value);
    }
    // In text it refuses keys beyond ASCII by itself.
    if ($binary) {
        same($client->set('schlüssel', 'x'), true);
        same($client->get('schlüssel'), 'x');
    }
    same($client->delete('k'), true);
    same($client->delete('k'), false);
    same($client->replace('k', 'x'), false);
    same($client->add('k', 'b'), true);
    same($client->add('k', 'x'), false);
    $client->setOption(Memcached::OPT_COMPRESSION, false);
    same($client->append('k', 'c'), true);
    same($client->prepend('k', 'a'), true);
    same($client->get('k'), 'abc');
    $client->set('n', 9);
    same($client->increment('n', 3), 12);
    same($client->decrement('n', 100), 0);
    same($client->increment('nokey'), false);
    if ($binary) {
        same($client->increment('new', 1, 10), 10);
    }
    $got = $client->get('k', null, Memcached::GET_EXTENDED);
    same($client->cas($got['cas'], 'k', 'two'), true);
    same($client->cas($got['cas'], 'k', 'three'), false);
    same($client->getResultCode(), Memcached::RES_DATA_EXISTS);
    same($client->get('k'), 'two');
    same($client->touch('k', 100), true);
    same($client->touch('nokey', 100), false);
    same($client->set('gone', 'x', 2592001), true);
    same($client->get('gone'), false);
    $many = [];
    for ($i = 0; $i < 300; $i++) {
        $many["m$i"] = str_repeat("$i ", $i % 2 == 0 ? 20000 : 10);
    }
    same($client->setMulti($many), true);
    $got = $client->getMulti([...array_keys($many), 'nokey']);
    ksort($got);
    ksort($many);
    same($got, $many);
    same($client->getDelayed(['m0', 'm1'], true), true);
    same(count($client->fetchAll()), 2);
    same($client->deleteMulti(['m0', 'm1']), ['m0' => true, 'm1' => true]);
    same($client->set('big', str_repeat('x', 900000)), true);
    same(strlen($client->get('big')), 900000);
    same($client->set('big', str_repeat('x', 2000000)), false);
    same($client->get('big'), false);
    same(array_values($client->getVersion()), ['1.6.45']);
    $stats = array_values($client->getStats())[0];
    same($stats['version'], '1.6.45');
    same($client->flush(), true);
    same($client->get('k'), false);
    $client->quit();
}
echo "$checks checks passed\n";
