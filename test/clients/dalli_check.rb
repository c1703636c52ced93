# Dalli (Debian: ruby-dalli, or the gem dalli) against a running server: ruby FILE HOST PORT.
# Versions below 5 speak the binary protocol, those from 3.2 on meta commands if asked, those from 5 on
# nothing else; what is there is tried. Says so and ends well where it is not installed.
begin
  require 'dalli'
rescue LoadError
  puts 'left out: Dalli is not installed (apt-get install ruby-dalli, or gem install dalli)'
  exit 0
end

address = "#{ARGV[0]}:#{ARGV[1]}"
$checks = 0

def same(actual, expected)
  $checks += 1
  return if actual == expected

  puts "check #{$checks}: #{actual.inspect[0, 200]} instead of #{expected.inspect[0, 200]}"
  exit 1
end

version = Gem::Version.new(Dalli::VERSION)
protocols = []
protocols << :binary if version < Gem::Version.new('5')
protocols << :meta if version >= Gem::Version.new('3.2')
protocols.each do |protocol|
  options = { socket_timeout: 5, value_max_bytes: 8 * 1024 * 1024, compress: false }
  options[:protocol] = protocol if version.between?(Gem::Version.new('3.2'), Gem::Version.new('4.99'))
  client = Dalli::Client.new(address, options)
  client.flush
  same(client.get('k'), nil)
  ['Grüße', "a \r\n END", 42, 1.5, { 'a' => [1, nil] }, ''].each do |value|
    # Below 4, Dalli reads a value of a meta command up to the first end of a line.
    next if protocol == :meta && version < Gem::Version.new('4') && value == "a \r\n END"

    client.set('k', value)
    same(client.get('k'), value)
  end
  ['schlüssel', 'テキスト', 'with space'].each do |key|
    client.set(key, 'x')
    same(client.get(key), 'x')
  end
  same(client.delete('k') ? true : false, true)
  same(client.delete('k') ? true : false, false)
  # Dalli 3.0 says 0, as if that were no cas number.
  same([nil, false, 0].include?(client.replace('k', 'x')), true)
  same(client.add('k', 'b', 0, raw: true) ? true : false, true)
  same(client.add('k', 'x') ? true : false, false)
  client.append('k', 'c')
  client.prepend('k', 'a')
  same(client.get('k', raw: true), 'abc')
  client.set('c', 'one')
  client.cas('c') { |value| "#{value} two" }
  same(client.get('c'), 'one two')
  same(client.incr('n', 3, 0, 10), 10)
  same(client.incr('n', 3), 13)
  same(client.decr('n', 100), 0)
  same(client.incr('nokey'), nil)
  same(client.touch('k', 100) ? true : false, true)
  client.set('g', 'v')
  same(client.gat('g', 200), 'v')
  client.set('gone', 'x', 1)
  many = (0...300).to_h { |i| ["m#{i}", "#{i} " * (i.even? ? 20_000 : 10)] }
  # Without waiting for each reply.
  client.quiet { many.each { |key, value| client.set(key, value) } } if client.respond_to?(:quiet)
  client.multi { many.each { |key, value| client.set(key, value) } } unless client.respond_to?(:quiet)
  same(client.get_multi(*many.keys, 'nokey'), many)
  client.set('big', 'x' * 900_000, 0, raw: true)
  same(client.get('big', raw: true).bytesize, 900_000)
  same(client.stats.values[0]['version'], '1.6.45')
  same(client.version.values, ['1.6.45'])
  sleep 2.2
  same(client.get('gone'), nil)
  client.flush
  same(client.get('m1'), nil)
  client.close
end
puts "#{$checks} checks passed by Dalli #{Dalli::VERSION} (#{protocols.join(', ')})"
